//! The `.env` that the workshop begins with beside the one that it ends with.

use std::{collections::HashMap, sync::Arc};

use super::log::Seq;
use crate::{
    protocol::env::{EnvKind, EnvLine},
    trace::event::EnvSide,
};

/// The env pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Env {
    before: Option<Arc<EnvFile>>,
    after: Option<Arc<EnvFile>>,
    rows: Arc<Vec<EnvRow>>,
}

/// One file as read.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvFile {
    pub file: String,
    pub lines: Vec<EnvLine>,
    pub evidence: Seq,
}

impl EnvFile {
    /// How many lines open a service by themselves.
    #[must_use]
    pub fn worth_stealing(&self) -> usize {
        let worth = |line: &&EnvLine| line.set && line.worth_stealing;
        self.lines.iter().filter(worth).count()
    }

    /// How many lines are of a kind and set.
    #[must_use]
    pub fn count(&self, kind: EnvKind) -> usize {
        let is = |line: &&EnvLine| line.set && line.kind == kind;
        self.lines.iter().filter(is).count()
    }
}

/// A variable on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvRow {
    pub name: String,
    pub change: EnvChange,
    pub before: Option<EnvLine>,
    pub after: Option<EnvLine>,
}

/// What became of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnvChange {
    Kept,
    /// On both sides, with another value, or set on one side only.
    Changed,
    Added,
    Removed,
}

impl Env {
    #[must_use]
    pub fn before(&self) -> Option<&EnvFile> {
        self.before.as_deref()
    }

    #[must_use]
    pub fn after(&self) -> Option<&EnvFile> {
        self.after.as_deref()
    }

    /// The file that the run came to; where the workshop's end was not read, that is its beginning.
    #[must_use]
    pub fn latest(&self) -> Option<&EnvFile> {
        self.after().or_else(|| self.before())
    }

    /// Whether there is nothing to compare: one file is known, or both say the same.
    #[must_use]
    pub fn is_one_file(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => before.lines == after.lines,
            (Some(_), None) | (None, Some(_)) => true,
            (None, None) => false,
        }
    }

    /// Both files, joined by name: the order of the first, new variables behind their predecessor.
    #[must_use]
    pub fn rows(&self) -> &[EnvRow] {
        &self.rows
    }

    pub(super) fn read(&mut self, seq: Seq, which: EnvSide, file: &str, lines: &[EnvLine]) {
        let known = match which {
            EnvSide::Before => &mut self.before,
            EnvSide::After => &mut self.after,
        };
        // Mostly it says what it said, and looking is quicker than joining anew.
        if let Some(known) = known
            && known.file == file
            && known.lines == lines
        {
            Arc::make_mut(known).evidence = seq;
            return;
        }
        let read = Arc::new(EnvFile {
            file: file.to_owned(),
            lines: lines.to_vec(),
            evidence: seq,
        });
        match which {
            EnvSide::Before => self.before = Some(read),
            EnvSide::After => self.after = Some(read),
        }
        let side =
            |file: &Option<Arc<EnvFile>>| file.as_ref().map_or(Vec::new(), |f| unique(&f.lines));
        let mut rows = join(&side(&self.before), &side(&self.after));
        // A file that was not read is not one without these lines.
        if self.before.is_none() || self.after.is_none() {
            for row in &mut rows {
                row.change = EnvChange::Kept;
            }
        }
        self.rows = Arc::new(rows);
    }
}

/// Two files, joined by name.
#[must_use]
pub fn compare(before: &[EnvLine], after: &[EnvLine]) -> Vec<EnvRow> {
    join(&unique(before), &unique(after))
}

/// Each name once; as for a shell, the last line wins.
fn unique(lines: &[EnvLine]) -> Vec<EnvLine> {
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut kept: Vec<EnvLine> = Vec::new();
    for line in lines {
        if let Some(place) = at.get(line.name.as_str()) {
            kept[*place] = line.clone();
        } else {
            at.insert(&line.name, kept.len());
            kept.push(line.clone());
        }
    }
    kept
}

fn join(before: &[EnvLine], after: &[EnvLine]) -> Vec<EnvRow> {
    let old: HashMap<&str, &EnvLine> = before.iter().map(|l| (l.name.as_str(), l)).collect();
    let new: HashMap<&str, &EnvLine> = after.iter().map(|l| (l.name.as_str(), l)).collect();
    let mut added: HashMap<Option<&str>, Vec<&EnvLine>> = HashMap::new();
    let mut predecessor = None;
    for line in after {
        if old.contains_key(line.name.as_str()) {
            predecessor = Some(line.name.as_str());
        } else {
            added.entry(predecessor).or_default().push(line);
        }
    }
    let row = |before: Option<&EnvLine>, after: Option<&EnvLine>| EnvRow {
        name: before.or(after).map_or(String::new(), |l| l.name.clone()),
        change: match (before, after) {
            (Some(b), Some(a)) if b.value == a.value && b.set == a.set => EnvChange::Kept,
            (Some(_), Some(_)) => EnvChange::Changed,
            (None, _) => EnvChange::Added,
            (_, None) => EnvChange::Removed,
        },
        before: before.cloned(),
        after: after.cloned(),
    };
    let mut rows = Vec::with_capacity(before.len() + after.len());
    let news = |added: Option<Vec<&EnvLine>>| {
        let news = added.unwrap_or_default().into_iter();
        news.map(|line| row(None, Some(line))).collect::<Vec<_>>()
    };
    rows.extend(news(added.remove(&None)));
    for line in before {
        rows.push(row(Some(line), new.get(line.name.as_str()).copied()));
        rows.extend(news(added.remove(&Some(line.name.as_str()))));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, value: &str, kind: EnvKind) -> EnvLine {
        EnvLine {
            name: name.to_owned(),
            kind,
            value: (kind != EnvKind::Secret).then(|| value.to_owned()),
            set: !value.is_empty(),
            note: String::new(),
            worth_stealing: kind == EnvKind::Secret,
        }
    }

    #[test]
    fn one_file_alone_is_compared_with_nothing() {
        let mut env = Env::default();
        let key = line("LINEAR_API_KEY", "x", EnvKind::Secret);
        env.read(
            Seq::at(0),
            EnvSide::After,
            ".env",
            std::slice::from_ref(&key),
        );
        assert_eq!(env.rows()[0].change, EnvChange::Kept);
        env.read(Seq::at(1), EnvSide::Before, ".env", &[]);
        assert_eq!(env.rows()[0].change, EnvChange::Added);
    }

    #[test]
    fn the_god_key_goes_and_the_rest_is_kept_or_added() {
        let mut env = Env::default();
        let port = line("PORT", "8000", EnvKind::Config);
        let key = line("LINEAR_API_KEY", "x", EnvKind::Secret);
        let id = line("KEYCARD_CLIENT_ID", "", EnvKind::Identifier);
        env.read(
            Seq::at(0),
            EnvSide::Before,
            ".env",
            &[port.clone(), key, id],
        );
        let url = line("KEYCARD_URL", "http://z", EnvKind::Config);
        let id = line("KEYCARD_CLIENT_ID", "app", EnvKind::Identifier);
        env.read(Seq::at(1), EnvSide::After, ".env", &[port, url, id]);
        let shown: Vec<_> = env
            .rows()
            .iter()
            .map(|r| (r.name.as_str(), r.change))
            .collect();
        assert_eq!(
            shown,
            [
                ("PORT", EnvChange::Kept),
                ("KEYCARD_URL", EnvChange::Added),
                ("LINEAR_API_KEY", EnvChange::Removed),
                ("KEYCARD_CLIENT_ID", EnvChange::Changed),
            ]
        );
        assert_eq!(env.before().unwrap().worth_stealing(), 1);
        assert_eq!(env.after().unwrap().worth_stealing(), 0);
    }

    #[test]
    fn a_name_that_stands_twice_counts_once() {
        let mut env = Env::default();
        let lines = ["1", "2"].map(|value| line("A", value, EnvKind::Config));
        env.read(Seq::at(0), EnvSide::Before, ".env", &lines);
        assert_eq!(env.rows().len(), 1);
        assert_eq!(
            env.rows()[0].before.as_ref().unwrap().value.as_deref(),
            Some("2")
        );
    }
}
