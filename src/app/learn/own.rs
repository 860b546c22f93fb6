//! An attendee's own server: how far it has come, by what was seen of it.

use super::{Ground, Learn};
use crate::{
    app::{App, command::Command, player::Source, toast::Tone},
    chapters::{
        Orientation, ProbeResults, Reading, orientation, probe::HttpProbe, probe::ScopeAnswer,
    },
    protocol::tickets::DELETE_ISSUE,
    trace::event::CallOutcome,
};

impl Learn {
    /// Whose server the chapters are about.
    #[must_use]
    pub const fn ground(&self) -> Ground {
        self.ground
    }
}

impl App {
    /// How far the attendee's own server has come; `None` on a lab, and until it was looked at.
    #[must_use]
    pub fn orientation(&self) -> Option<Orientation> {
        let learn = self.learn.as_ref()?;
        let mut seen = learn.around.as_deref().cloned()?;
        if let Some(answer) = self.write_answer() {
            seen.scopes
                .insert("write".to_owned(), Reading::Told(answer));
        }
        let signed_in = self.projection.identity().user().is_some();
        Some(orientation::of(&seen, signed_in))
    }

    /// What the last deletion showed of the limit: a deletion asks the zone for `write`.
    fn write_answer(&self) -> Option<ScopeAnswer> {
        let call = self.projection.tools().latest(DELETE_ISSUE)?;
        let said = call.text.as_deref().unwrap_or_default();
        // A server may keep to itself what the zone said; the zone's log has it all the same.
        let rows = call.id.map(|id| self.projection.audit().of_call(id));
        let policy = rows
            .into_iter()
            .flatten()
            .find_map(|row| row.policy.as_ref());
        match call.outcome? {
            CallOutcome::Succeeded => Some(ScopeAnswer::Issued),
            _ if policy.is_some() || said.contains("denied by policy") => {
                Some(ScopeAnswer::Refused { policy: None })
            }
            _ => None,
        }
    }

    /// Takes in another look at the attendee's server.
    pub(in crate::app) fn looked_around(&mut self, seen: Box<ProbeResults>) {
        let before = self.orientation();
        let Some(learn) = &mut self.learn else {
            return;
        };
        learn.around = Some(seen);
        learn.judge_anew();
        let Some(now) = self.orientation() else {
            return;
        };
        let is_live = matches!(self.source, Source::Live);
        if !is_live || before.as_ref() == Some(&now) {
            return;
        }
        if before.is_none() {
            self.follow(now.reached);
        }
        let key = self.keymap.shown(Command::Whereabouts);
        let troubles = before.as_ref().map(|before| &before.troubles);
        if troubles != Some(&now.troubles)
            && let Some(trouble) = now.troubles.first()
        {
            return self.say(Tone::Warning, trouble.clone());
        }
        if troubles.is_some_and(|troubles| !troubles.is_empty()) && now.troubles.is_empty() {
            self.say(Tone::Good, "all of your server can be seen again");
        }
        // Without a chapter nobody asked how far the server is, and the key would have no answer.
        let asked = self.learn.as_ref().is_some_and(Learn::is_open);
        if asked && before.is_none_or(|before| before.reached != now.reached) {
            let reached = now.reached;
            let text = format!("your server is at the end of chapter {reached}: {key} says why");
            self.say(Tone::Good, text);
        }
    }

    /// Who reads for the first time begins where their server is.
    fn follow(&mut self, reached: u8) {
        let Some(learn) = self.learn.as_ref().filter(|learn| learn.follows) else {
            return;
        };
        let mut chapters = learn.book.chapters.iter();
        let place = chapters.position(|chapter| chapter.number == u16::from(reached));
        if let Some(place) = place.filter(|place| *place != learn.open) {
            self.open_chapter(place);
        }
    }

    /// Whether the attendee's server asks nobody who they are.
    pub(super) fn own_is_open(&self) -> bool {
        let around = self.learn.as_ref().and_then(|learn| learn.around.as_ref());
        let knock = around.and_then(|seen| seen.http.get(&HttpProbe::NoToken));
        matches!(knock, Some(Reading::Told(answer)) if answer.status < 300)
    }
}
