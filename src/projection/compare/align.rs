//! Two sequences side by side, by the heaviest common subsequence.

/// Cells of the table that is worked out; beyond, only the near neighbourhood is searched.
const LARGEST: usize = 4_000_000;
/// How far that search looks.
const REACH: usize = 64;

/// Pairs what goes together, in order; what has no partner stands alone. `weight` says how well
/// two go together, and `None` that they do not.
pub(super) fn heaviest<'a, T>(
    left: &'a [T],
    right: &'a [T],
    weight: impl Fn(&T, &T) -> Option<u32>,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut out = Vec::with_capacity(left.len().max(right.len()));
    if (left.len() + 1).saturating_mul(right.len() + 1) > LARGEST {
        near(left, right, &weight, &mut out);
    } else {
        exact(left, right, &weight, &mut out);
    }
    out
}

/// Pairs what stands alone on both sides and goes together all the same, near each other: what ran
/// side by side in one run may have begun in the other order in the other.
pub(super) fn rejoin<'a, T>(
    pairs: &mut Vec<(Option<&'a T>, Option<&'a T>)>,
    weight: impl Fn(&T, &T) -> Option<u32>,
) {
    let mut place = 0;
    while place < pairs.len() {
        let near = place.saturating_sub(REACH)..pairs.len().min(place + REACH);
        let alone = |other: &usize| match (pairs[place], pairs[*other]) {
            ((Some(a), None), (None, Some(b))) => weight(a, b).is_some(),
            _ => false,
        };
        match near.filter(alone).min_by_key(|other| other.abs_diff(place)) {
            Some(other) => {
                pairs[place].1 = pairs[other].1;
                pairs.remove(other);
                place += usize::from(other > place);
            }
            None => place += 1,
        }
    }
}

fn exact<'a, T>(
    left: &'a [T],
    right: &'a [T],
    weight: &impl Fn(&T, &T) -> Option<u32>,
    out: &mut Vec<(Option<&'a T>, Option<&'a T>)>,
) {
    let width = right.len() + 1;
    // best[i * width + j]: the heaviest pairing of left[i..] and right[j..].
    let mut best = vec![0_u32; (left.len() + 1) * width];
    let paired = |best: &[u32], i: usize, j: usize| {
        weight(&left[i], &right[j]).map(|w| w.saturating_add(best[(i + 1) * width + j + 1]))
    };
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            let alone = best[(i + 1) * width + j].max(best[i * width + j + 1]);
            let together = paired(&best, i, j).unwrap_or(0);
            best[i * width + j] = alone.max(together);
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let here = best[i * width + j];
        if paired(&best, i, j) == Some(here) {
            out.push((Some(&left[i]), Some(&right[j])));
            i += 1;
            j += 1;
        } else if best[(i + 1) * width + j] == here {
            out.push((Some(&left[i]), None));
            i += 1;
        } else {
            out.push((None, Some(&right[j])));
            j += 1;
        }
    }
    out.extend(left[i..].iter().map(|one| (Some(one), None)));
    out.extend(right[j..].iter().map(|one| (None, Some(one))));
}

/// The next partner that is near, in order: good enough where runs are long and mostly alike.
fn near<'a, T>(
    left: &'a [T],
    right: &'a [T],
    weight: &impl Fn(&T, &T) -> Option<u32>,
    out: &mut Vec<(Option<&'a T>, Option<&'a T>)>,
) {
    let mut j = 0;
    for one in left {
        let window = &right[j..right.len().min(j + REACH)];
        match window.iter().position(|other| weight(one, other).is_some()) {
            Some(found) => {
                out.extend(window[..found].iter().map(|other| (None, Some(other))));
                out.push((Some(one), Some(&window[found])));
                j += found + 1;
            }
            None => out.push((Some(one), None)),
        }
    }
    out.extend(right[j..].iter().map(|other| (None, Some(other))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str) -> String {
        let (left, right): (Vec<char>, Vec<char>) =
            (left.chars().collect(), right.chars().collect());
        // Letters go together regardless of case, and better with the same case.
        let weight = |a: &char, b: &char| a.eq_ignore_ascii_case(b).then(|| 2 + u32::from(a == b));
        heaviest(&left, &right, weight)
            .into_iter()
            .map(|(a, b)| format!("{}{}", a.unwrap_or(&'-'), b.unwrap_or(&'-')))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn the_same_is_paired_one_by_one() {
        assert_eq!(shown("abc", "abc"), "aa bb cc");
        assert_eq!(shown("", ""), "");
    }

    #[test]
    fn what_is_missing_stands_alone() {
        assert_eq!(shown("abc", "ac"), "aa b- cc");
        assert_eq!(shown("", "ab"), "-a -b");
    }

    #[test]
    fn of_two_partners_the_better_is_taken() {
        assert_eq!(shown("rC", "C"), "r- CC");
        assert_eq!(shown("aA", "A"), "a- AA");
    }

    #[test]
    fn what_ran_side_by_side_is_paired_in_either_order() {
        let (left, right): (Vec<char>, Vec<char>) =
            ("xabc".chars().collect(), "bac".chars().collect());
        let weight = |a: &char, b: &char| (a == b).then_some(1);
        let mut pairs = heaviest(&left, &right, weight);
        rejoin(&mut pairs, weight);
        let shown: Vec<String> = pairs
            .into_iter()
            .map(|(a, b)| format!("{}{}", a.unwrap_or(&'-'), b.unwrap_or(&'-')))
            .collect();
        assert_eq!(shown.len(), 4);
        for pair in ["x-", "aa", "bb", "cc"] {
            assert!(shown.contains(&pair.to_owned()), "{shown:?}");
        }
    }

    #[test]
    fn long_runs_are_still_aligned() {
        let left: Vec<u32> = (0..3_000).collect();
        let right: Vec<u32> = (0..3_000).filter(|n| n % 100 != 7).collect();
        let pairs = heaviest(&left, &right, |a, b| (a == b).then_some(1));
        assert_eq!(pairs.len(), 3_000);
        assert_eq!(pairs.iter().filter(|(_, b)| b.is_none()).count(), 30);
    }
}
