//! Shows what passes the lab's sockets, in clear, to whoever starts the lab from Rust.
//!
//! It is there for one proof: that nothing secret which went over the wire is found anywhere else.
//! No command and no setting turns it on.

use std::{
    fmt::Debug,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Takes what passes. Must not block.
pub trait Wire: Debug + Send + Sync {
    /// Bytes that followed each other on one direction of a connection; `stream` names that.
    fn passed(&self, stream: u64, bytes: &[u8]);
}

/// A wire as it is handed around.
pub type SharedWire = Arc<dyn Wire>;

/// A listener whose connections are shown.
#[derive(Debug)]
pub(super) struct Tapped<L> {
    listener: L,
    wire: SharedWire,
    /// Of the next connection's first direction; unique as long as the ports are.
    next: u64,
}

impl<L> Tapped<L> {
    pub(super) fn new(listener: L, port: u16, wire: SharedWire) -> Self {
        Self {
            listener,
            wire,
            next: u64::from(port) << 32,
        }
    }
}

impl<L: Listener> Listener for Tapped<L> {
    type Io = TappedIo<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, address) = self.listener.accept().await;
        let incoming = self.next;
        self.next += 2;
        let io = TappedIo {
            io,
            wire: Arc::clone(&self.wire),
            incoming,
        };
        (io, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection that is shown.
#[derive(Debug)]
pub(super) struct TappedIo<I> {
    io: I,
    wire: SharedWire,
    incoming: u64,
}

impl<I: AsyncRead + Unpin> AsyncRead for TappedIo<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        let new = &buf.filled()[before..];
        if !new.is_empty() {
            self.wire.passed(self.incoming, new);
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for TappedIo<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.wire.passed(self.incoming + 1, &bytes[..count]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
