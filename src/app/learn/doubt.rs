//! A tool got no credential, and nobody says why: the zone is asked itself.

use std::collections::BTreeMap;

use crate::{
    app::{
        App,
        effect::{Effects, Job},
        player::Source,
    },
    chapters::{check, probe::Answers},
    projection::Seq,
};

impl App {
    /// Asks the zone why the open chapter's calls got no credential: what it was not asked about them yet.
    pub(in crate::app) fn ask_in_doubt(&mut self) -> Effects {
        let is_live = matches!(self.source, Source::Live);
        let asks = |job: &Job| matches!(job, Job::AskZone(_));
        let is_asking = self.tasks.values().any(|task| asks(&task.job));
        let learn = self.learn.as_ref().filter(|learn| learn.is_open());
        let Some(learn) = learn.filter(|_| is_live && !is_asking) else {
            return Effects::new();
        };
        let known = learn.known(&self.projection);
        let doubts = check::doubts(learn.chapter(), &self.projection, &known);
        if doubts.is_empty() {
            return Effects::new();
        }
        vec![self.start(Job::AskZone(doubts))]
    }

    /// Takes in what the zone answered.
    pub(in crate::app) fn zone_answered(&mut self, answers: BTreeMap<Seq, Answers>) {
        if let Some(learn) = &mut self.learn {
            for (call, answers) in answers {
                learn.doubts.entry(call).or_default().extend(answers);
            }
            learn.judge_anew();
        }
    }
}
