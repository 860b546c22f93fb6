//! tmp
use hoptrail::upstream::{anthropic::recogniser::recognise, supabase::sample_tickets};
#[test]
fn show() {
    for t in sample_tickets() {
        let r = recognise(&t.subject, &t.body);
        eprintln!("=== {}\n{:?}\n{}\n", r.title, r.labels, r.masked_text);
    }
}
