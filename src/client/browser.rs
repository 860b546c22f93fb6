//! The way to the person's browser. Only a URL that passed [`super::url_policy`] gets here.

use std::fmt::Debug;

use url::Url;

/// How the person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserMode {
    /// Open a browser; show the URL if none can be opened.
    Open,
    /// Show the URL.
    Show,
    /// On a lab the sample user answers by itself; elsewhere show the URL.
    Headless,
}

/// Brings a URL before the person's eyes. Must not keep or log it: it carries the sign-in's state.
pub trait Browser: Debug + Send + Sync {
    /// Opens a browser.
    ///
    /// # Errors
    /// Why there is none, in a few words.
    fn open(&self, url: &Url) -> Result<(), String>;

    /// Shows the URL to be opened by hand.
    fn show(&self, url: &Url);
}

/// The browser that the desktop prefers. Shows nothing by itself: that is for whoever owns the
/// terminal.
#[derive(Clone)]
pub struct SystemBrowser(std::sync::Arc<dyn Fn(&Url) + Send + Sync>);

impl SystemBrowser {
    /// `show` presents a URL to the person.
    pub fn new(show: impl Fn(&Url) + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(show))
    }
}

impl Debug for SystemBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemBrowser")
    }
}

impl Browser for SystemBrowser {
    fn open(&self, url: &Url) -> Result<(), String> {
        // Without a desktop, xdg-open would start a text browser in the terminal that we draw on.
        if cfg!(not(target_os = "macos"))
            && ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
                .iter()
                .all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()))
        {
            return Err("there is no desktop here".to_owned());
        }
        open::that_detached(url.as_str()).map_err(|error| error.to_string())
    }

    fn show(&self, url: &Url) {
        (self.0)(url);
    }
}
