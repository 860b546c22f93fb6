//! Copying through the terminal (OSC 52): works over SSH and needs no display server.

use std::io::{self, Write as _};

use crossterm::{clipboard::CopyToClipboard, execute};

/// Many terminals drop longer sequences without a word.
pub const LONGEST: usize = 74_994;

/// Asks the terminal to put `text` on the clipboard. Whether it did cannot be known.
///
/// # Errors
/// If the text is longer than [`LONGEST`], or the terminal cannot be written to.
pub fn copy(text: &str) -> io::Result<()> {
    if text.len() > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} bytes are more than terminals take", text.len()),
        ));
    }
    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
    io::stdout().flush()
}
