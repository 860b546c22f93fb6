//! What of a sheet cannot come about on the lab that a stage makes for itself. A warning and no fault:
//! another lab may have more tickets, and a policy can be made while the show goes on.

use super::{Expect, Sheet};

/// How many tickets the lab has.
pub const LAB_TICKETS: usize = 5;

/// The lab's only policy that forbids.
pub const LAB_RULE: &str = "limit-linear-scopes";

impl Sheet {
    /// In the order of the cues, each with its number from 1.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        for (number, cue) in (1..).zip(&self.cues) {
            if let Some(place) = cue.ticket.filter(|place| *place >= LAB_TICKETS) {
                let ticket = place + 1;
                doubts.push(format!(
                    "cue {number} wants ticket {ticket}: the lab has {LAB_TICKETS}"
                ));
            }
            if let Some(Expect::Refused(Some(policy))) = &cue.expect
                && policy != LAB_RULE
            {
                doubts.push(format!(
                    "cue {number} expects {policy}: only {LAB_RULE} refuses in the lab"
                ));
            }
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_lab_has_not_is_doubted_and_the_built_in_sheet_is_not() {
        assert_eq!(Sheet::built_in().doubts(), Vec::<String>::new());
        let text = "[[cue]]\ntitle=\"a\"\ndo=\"escalate\"\nticket=5\n\
                    [[cue]]\ntitle=\"b\"\ndo=\"escalate\"\nticket=6\n\
                    [[cue]]\ntitle=\"c\"\ndo=\"delete\"\nexpect=\"refused\"\npolicy=\"limit\"\n";
        let told = [
            "cue 2 wants ticket 6: the lab has 5",
            "cue 3 expects limit: only limit-linear-scopes refuses in the lab",
        ];
        assert_eq!(Sheet::parse(text, "s").unwrap().doubts(), told);
    }
}
