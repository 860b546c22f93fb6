//! Who comes first on a thread that many tasks share.

/// How often somebody else's turn comes first. From the answer of one exchange to the moment in
/// which the disk works on the next one, the loop turns about six times.
const TURNS: usize = 8;

/// Lets whatever else can go on go on first: for those who only tell what happens. A chain of calls is
/// not held up by who watches it, and the telling falls into the time in which the chain waits for
/// the disk. On a thread that has nothing else to do this takes some microseconds.
pub async fn give() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}
