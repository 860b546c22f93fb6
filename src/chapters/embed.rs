//! The chapters that hoptrail brings along, from one list.

/// Names and texts, in order.
pub const FILES: [(&str, &str); 9] = [
    (
        "00-the-open-door.md",
        include_str!("../../chapters/00-the-open-door.md"),
    ),
    (
        "01-your-zone.md",
        include_str!("../../chapters/01-your-zone.md"),
    ),
    (
        "02-the-lock.md",
        include_str!("../../chapters/02-the-lock.md"),
    ),
    (
        "03-the-sign-in.md",
        include_str!("../../chapters/03-the-sign-in.md"),
    ),
    (
        "04-the-vault.md",
        include_str!("../../chapters/04-the-vault.md"),
    ),
    (
        "05-the-mask.md",
        include_str!("../../chapters/05-the-mask.md"),
    ),
    (
        "06-in-your-name.md",
        include_str!("../../chapters/06-in-your-name.md"),
    ),
    (
        "07-the-limit.md",
        include_str!("../../chapters/07-the-limit.md"),
    ),
    (
        "08-the-whole-trail.md",
        include_str!("../../chapters/08-the-whole-trail.md"),
    ),
];
