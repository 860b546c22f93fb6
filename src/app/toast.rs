//! A line that says what just happened and goes away by itself.

/// What kind of news it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Bad,
    Warning,
    /// Why a command cannot be done: it goes with the next one that can.
    Unavailable,
}

/// What a line is about, where that can turn out not to be so any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Topic {
    #[default]
    Anything,
    /// The open chapter's checks have all passed.
    ChapterDone,
    /// The run is being recorded.
    Recording,
}

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub tone: Tone,
    pub topic: Topic,
    pub text: String,
    /// When it goes, on the run's clock.
    pub until_us: u64,
}

/// How long a toast stays, in microseconds: long enough to read a line twice.
pub const STAY_US: u64 = 5_000_000;
