//! A step's form while somebody fills it in: where the cursor is, what was typed and chosen, and
//! what the zone did not take.

use tui_input::{Input, InputRequest};

use super::Step;
use crate::support::{error::Failure, text::one_line};

/// The label of the field that holds a new thing's name.
pub const NAME: &str = "name";

/// The longest text that is typed into a field, in characters; a policy of the workshop has a thousand.
/// What an editor wrote comes whole, and the zone says what it takes.
pub const LONGEST: usize = 20_000;

/// A field of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub label: String,
    pub kind: Kind,
    pub value: String,
    /// What it was filled in with at first.
    pub prefilled: String,
}

/// What may stand in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing else: it comes from elsewhere, and is told by its kind only.
    Fixed,
    /// One line.
    Text,
    /// Several lines.
    Lines,
    /// One of these.
    Choice(Vec<String>),
}

/// What the fields of a form hold, by their labels and in their order.
pub type Filled = Vec<(String, String)>;

impl Field {
    /// A field that is filled in already.
    #[must_use]
    pub fn new(label: impl Into<String>, kind: Kind, value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            label: label.into(),
            kind,
            prefilled: value.clone(),
            value,
        }
    }

    /// Whether it holds something else than at first.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.value != self.prefilled
    }

    /// Whether anything else may stand in it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.kind != Kind::Fixed
    }
}

/// Whether a pasted text found room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pasted {
    Whole,
    InPart,
}

/// The form of a step, open.
#[derive(Debug, Clone)]
pub struct Form {
    /// The step's place in the work.
    pub place: usize,
    pub title: String,
    at: usize,
    entries: Vec<Entry>,
    /// What stood in the fields when it was opened.
    opened: Filled,
    refused: Option<Failure>,
}

/// A field and how it is being edited.
#[derive(Debug, Clone)]
pub struct Entry {
    field: Field,
    /// The lines of a text, one at least.
    lines: Vec<Input>,
    row: usize,
}

impl Entry {
    fn new(field: Field) -> Self {
        let lines = lines_of(&field.value);
        // A line is gone on with at its end; a longer text is read from its top.
        let row = 0;
        Self { field, lines, row }
    }

    #[must_use]
    pub const fn field(&self) -> &Field {
        &self.field
    }

    /// The lines of a text, as they are typed.
    #[must_use]
    pub fn lines(&self) -> &[Input] {
        &self.lines
    }

    /// The line with the cursor.
    #[must_use]
    pub const fn row(&self) -> usize {
        self.row
    }

    fn write(&mut self, value: String) {
        self.lines = lines_of(&value);
        self.row = self.row.min(self.lines.len() - 1);
        self.field.value = value;
    }

    fn typed(&mut self) {
        let lines: Vec<&str> = self.lines.iter().map(Input::value).collect();
        self.field.value = lines.join("\n");
    }
}

fn lines_of(value: &str) -> Vec<Input> {
    value.split('\n').map(Input::from).collect()
}

impl Form {
    /// Opens the form of a step: at the field in which something else was put than at first, else at
    /// the first in which something else may stand.
    #[must_use]
    pub fn of(place: usize, step: &Step) -> Self {
        let entries: Vec<Entry> = step.form.iter().cloned().map(Entry::new).collect();
        let is_open = |entry: &Entry| entry.field.is_open();
        let changed = entries
            .iter()
            .position(|entry| is_open(entry) && entry.field.is_changed());
        let at = changed.or_else(|| entries.iter().position(is_open));
        Self {
            place,
            title: step.title.clone(),
            at: at.unwrap_or(0),
            entries,
            opened: step.filled(),
            refused: None,
        }
    }

    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The place of the field with the cursor.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The field with the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Field> {
        self.entries.get(self.at).map(Entry::field)
    }

    /// What the zone did not take, and why.
    #[must_use]
    pub const fn refused(&self) -> Option<&Failure> {
        self.refused.as_ref()
    }

    /// What stands in the fields.
    #[must_use]
    pub fn filled(&self) -> Filled {
        self.entries
            .iter()
            .map(|entry| (entry.field.label.clone(), entry.field.value.clone()))
            .collect()
    }

    /// Whether something else stands in it than when it was opened, which closing it would lose.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.filled() != self.opened
    }

    /// It was not taken; what was filled in stays.
    pub fn refuse(&mut self, failure: Failure) {
        self.refused = Some(failure);
    }

    /// It is tried again: what was said before is of another try.
    pub fn try_again(&mut self) {
        self.refused = None;
    }

    /// Whether there is another field to go to.
    #[must_use]
    pub fn has_more_fields(&self) -> bool {
        let open = self.entries.iter().filter(|entry| entry.field.is_open());
        open.count() > 1
    }

    /// To another field, over those that nobody fills in; the last is followed by the first.
    pub fn go(&mut self, by: isize) {
        let count = self.entries.len().cast_signed();
        let mut at = self.at.cast_signed();
        for _ in 0..count {
            at = (at + by).rem_euclid(count);
            if self.entries[at.unsigned_abs()].field.is_open() {
                self.at = at.unsigned_abs();
                return;
            }
        }
    }

    /// To a field that was pointed at. A choice that has the cursor already is switched.
    pub fn point_at(&mut self, place: usize) {
        let open = |entry: &Entry| entry.field.is_open();
        if !self.entries.get(place).is_some_and(open) {
            return;
        }
        if self.at == place {
            self.choose(1);
        }
        self.at = place;
    }

    /// Switches the choice under the cursor.
    pub fn choose(&mut self, by: isize) {
        let Some(entry) = self.entries.get_mut(self.at) else {
            return;
        };
        let Kind::Choice(among) = &entry.field.kind else {
            return;
        };
        let here = among.iter().position(|one| *one == entry.field.value);
        let count = among.len().max(1).cast_signed();
        let next = (here.unwrap_or(0).cast_signed() + by).rem_euclid(count);
        if let Some(value) = among.get(next.unsigned_abs()) {
            entry.field.value.clone_from(value);
        }
    }

    /// Puts back into the field under the cursor what was there at first.
    pub fn set_back(&mut self) {
        if let Some(entry) = self.entries.get_mut(self.at) {
            entry.write(entry.field.prefilled.clone());
        }
    }

    /// The field of several lines under the cursor.
    #[must_use]
    pub fn long_text(&self) -> Option<&str> {
        self.current()
            .filter(|field| field.kind == Kind::Lines)
            .map(|field| field.value.as_str())
    }

    /// Takes in what an editor made of it.
    pub fn take_long_text(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\t', "    ");
        let is_long = self.long_text().is_some();
        if let Some(entry) = self.entries.get_mut(self.at)
            && is_long
        {
            entry.write(text.trim_end_matches('\n').to_owned());
            self.refused = None;
        }
    }

    /// Whether the field under the cursor is typed in.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.current()
            .is_some_and(|field| matches!(field.kind, Kind::Text | Kind::Lines))
    }

    /// An edit of the line under the cursor.
    pub fn edit(&mut self, request: InputRequest) {
        let Some(entry) = self.entries.get_mut(self.at) else {
            return;
        };
        let row = entry.row;
        let many = entry.field.kind == Kind::Lines;
        let (here, length) = {
            let line = &entry.lines[row];
            (line.cursor(), line.value().chars().count())
        };
        match request {
            InputRequest::DeletePrevChar if many && here == 0 && row > 0 => entry.join(row - 1),
            InputRequest::DeleteNextChar if many && here == length => entry.join(row),
            InputRequest::GoToPrevChar if many && here == 0 && row > 0 => {
                entry.row -= 1;
                entry.lines[row - 1].handle(InputRequest::GoToEnd);
            }
            InputRequest::GoToNextChar if many && here == length && row + 1 < entry.lines.len() => {
                entry.row += 1;
                entry.lines[row + 1].handle(InputRequest::GoToStart);
            }
            InputRequest::InsertChar(_) if entry.field.value.chars().count() >= LONGEST => {}
            _ => {
                entry.lines[row].handle(request);
            }
        }
        entry.typed();
    }

    /// Puts a text in at the cursor: all its lines where there may be several, else the first.
    pub fn paste(&mut self, text: &str) -> Pasted {
        let is_typing = self.is_typing();
        let Some(entry) = self.entries.get_mut(self.at).filter(|_| is_typing) else {
            return Pasted::Whole;
        };
        let most = match entry.field.kind {
            Kind::Lines => usize::MAX,
            Kind::Fixed | Kind::Text | Kind::Choice(_) => 1,
        };
        let lines: Vec<String> = text.lines().take(most).map(one_line).collect();
        let text = lines.join("\n");
        let room = LONGEST.saturating_sub(entry.field.value.chars().count());
        let taken: String = text.chars().take(room).collect();
        entry.insert(&taken);
        if taken.len() == text.len() {
            Pasted::Whole
        } else {
            Pasted::InPart
        }
    }

    /// To the line above or below in a text of several; `false` at its edge.
    pub fn go_to_line(&mut self, by: isize) -> bool {
        let Some(entry) = self.entries.get_mut(self.at) else {
            return false;
        };
        let next = entry.row.checked_add_signed(by);
        let Some(next) = next.filter(|next| *next < entry.lines.len()) else {
            return false;
        };
        let column = entry.lines[entry.row].cursor();
        entry.row = next;
        entry.lines[next].handle(InputRequest::SetCursor(column));
        true
    }

    /// Breaks the line at the cursor, in a text of several.
    pub fn break_line(&mut self) {
        let Some(entry) = self.entries.get_mut(self.at) else {
            return;
        };
        if entry.field.kind != Kind::Lines {
            return;
        }
        if entry.field.value.chars().count() < LONGEST {
            entry.insert("\n");
        }
    }
}

impl Entry {
    /// Puts in what may have several lines, at the cursor, which stands behind it then.
    fn insert(&mut self, text: &str) {
        let line = &self.lines[self.row];
        let before: String = line.value().chars().take(line.cursor()).collect();
        let after: String = line.value().chars().skip(line.cursor()).collect();
        let whole = format!("{before}{text}");
        let mut lines: Vec<Input> = whole.split('\n').map(Input::from).collect();
        let count = lines.len();
        if let Some(last) = lines.last_mut() {
            let cursor = last.value().chars().count();
            *last = Input::new(format!("{}{after}", last.value())).with_cursor(cursor);
        }
        self.lines.splice(self.row..=self.row, lines);
        self.row += count - 1;
        self.typed();
    }

    /// Puts the line after `row` at its end.
    fn join(&mut self, row: usize) {
        if row + 1 >= self.lines.len() {
            return;
        }
        let below = self.lines.remove(row + 1);
        let above = &self.lines[row];
        let seam = above.value().chars().count();
        let whole = format!("{}{}", above.value(), below.value());
        self.lines[row] = Input::new(whole).with_cursor(seam);
        self.row = row;
    }
}
