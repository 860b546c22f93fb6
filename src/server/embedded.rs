//! The tickets that come with the code, before chapter 4 moves them into a database.

use std::sync::LazyLock;

use uuid::Uuid;

use crate::{
    protocol::tickets::{GET_SUPPORT_TICKETS, Ticket},
    support::error::{Exit, Failure},
};

static TICKETS: LazyLock<Vec<Ticket>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../assets/lab/tickets.json"))
        .expect("the file is part of the program, and a test reads it")
});

/// All tickets, oldest first.
pub(super) fn tickets() -> Vec<Ticket> {
    TICKETS.clone()
}

/// The ticket with this id.
pub(super) fn ticket(id: Uuid) -> Result<Ticket, Failure> {
    let found = TICKETS.iter().find(|ticket| ticket.id == id);
    found.cloned().ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            format!("There is no ticket {id}"),
            "the tickets that come with the server have none with that id",
            format!("call {GET_SUPPORT_TICKETS} without an id to see which there are"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tickets_come_oldest_first() {
        let all = tickets();
        assert_eq!(all.len(), 5);
        assert!(all.is_sorted_by_key(|ticket| ticket.created_at.clone()));
        assert!(ticket(all[3].id).is_ok_and(|one| one == all[3]));
        assert!(ticket(Uuid::nil()).is_err());
    }
}
