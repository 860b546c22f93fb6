//! A tool got no credential, and nobody says why: the zone is asked itself.

use std::collections::BTreeMap;

use crate::{
    app::{
        App,
        effect::{Effects, Job},
        player::Source,
    },
    chapters::{
        Reading,
        check::doubts,
        probe::{Exchange, ExchangeAnswer},
    },
    projection::{Projection, Seq},
    trace::event::CallOutcome,
};

/// What the zone answered, about the one call that it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubt {
    /// Where that call ended.
    pub about: Option<Seq>,
    pub answers: BTreeMap<Exchange, Reading<ExchangeAnswer>>,
}

impl Doubt {
    /// The answers, as long as no other call ended since.
    pub(super) fn known(
        &self,
        projection: &Projection,
    ) -> BTreeMap<Exchange, Reading<ExchangeAnswer>> {
        if self.about.is_some() && self.about == last_ended(projection).map(|(end, _)| end) {
            self.answers.clone()
        } else {
            BTreeMap::new()
        }
    }
}

/// The call that ended last.
fn last_ended(projection: &Projection) -> Option<(Seq, CallOutcome)> {
    let calls = projection.tools().calls().iter();
    calls
        .filter_map(|call| Some((call.finished?, call.outcome?)))
        .max_by_key(|(end, _)| *end)
}

impl App {
    /// Asks the zone why the last call had no credential, once for each such call.
    pub(in crate::app) fn ask_in_doubt(&mut self) -> Effects {
        let is_live = matches!(self.source, Source::Live);
        let Some((about, CallOutcome::Failed)) = last_ended(&self.projection) else {
            return Effects::new();
        };
        let Some(learn) = self
            .learn
            .as_mut()
            .filter(|learn| is_live && learn.is_open())
        else {
            return Effects::new();
        };
        if learn.doubt.about == Some(about) {
            return Effects::new();
        }
        let known = learn.known(&self.projection);
        let probes = doubts(learn.chapter(), &self.projection, &known);
        if probes.is_empty() {
            return Effects::new();
        }
        learn.doubt = Doubt {
            about: Some(about),
            answers: BTreeMap::new(),
        };
        vec![self.start(Job::AskZone { about, probes })]
    }

    /// Takes in what the zone answered.
    pub(in crate::app) fn zone_answered(&mut self, doubt: Doubt) {
        if let Some(learn) = &mut self.learn
            && learn.doubt.about == doubt.about
        {
            learn.doubt = doubt;
            learn.judge_anew();
        }
    }
}
