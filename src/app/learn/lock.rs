//! The chapter of the lock: that a call without a token is refused is what it is about.

use super::{Lab, Learn, Told};
use crate::{
    app::{
        App,
        overlay::{Overlay, What},
        toast::Tone,
    },
    chapters::{Attempt, Chapter, Segment, Stage},
    support::error::{Failure, FailureKind},
};

impl Learn {
    /// Whether the open chapter's server asks for a token, and only a later chapter signs in.
    fn is_before_the_sign_in(&self) -> bool {
        let is_sign_in = |segment: &Segment| {
            let attempt = match segment {
                Segment::Try { attempt, .. } => Some(*attempt),
                _ => None,
            };
            attempt == Some(Attempt::SignIn)
        };
        let signs_in = |chapter: &Chapter| chapter.segments.iter().any(is_sign_in);
        let (known, later) = self.book.chapters.split_at(self.open + 1);
        self.chapter().stage >= Stage::Protected
            && !known.iter().any(signs_in)
            && later.iter().any(signs_in)
    }
}

impl App {
    /// Whether a call without a token is refused here as the open chapter means it to be.
    #[must_use]
    pub fn is_locked_as_meant(&self) -> bool {
        let open = self.learn.as_ref().filter(|learn| learn.is_open());
        open.is_some_and(Learn::is_before_the_sign_in)
            && self.lab() == Lab::At
            && self.projection.identity().user().is_none()
    }

    /// Tells calmly of a refusal that the chapter is about; `false` for any other failure.
    pub(in crate::app) fn tell_of_the_lock(&mut self, failure: &Failure) -> bool {
        if failure.kind != Some(FailureKind::SignInRequired) || !self.is_locked_as_meant() {
            return false;
        }
        let is_told = |overlay: &Overlay| {
            matches!(
                overlay,
                Overlay::Told {
                    what: What::LockedOut,
                    ..
                }
            )
        };
        if !self.overlays.iter().any(is_told) {
            self.tell(What::LockedOut);
        }
        true
    }
}

/// What is told of a call that the lock refused.
pub(super) fn locked_out() -> (String, Vec<Told>) {
    let lines = vec![
        Told::new("asked", "a tool call without a token"),
        Told::new("answered", "401: show a token first").toned(Tone::Good),
        Told::new("so", "the lock works; the next chapter is the way in"),
    ];
    ("Locked out, as it should be".to_owned(), lines)
}
