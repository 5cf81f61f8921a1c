//! Guesses what a misspelt word was meant to be.

/// Anything longer is not a typing error.
const LONGEST: usize = 64;

/// The known word nearest to this one, if any is near enough. Capitals, and `-` for `_`, do not
/// count as differences.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    if word.len() > LONGEST {
        return None;
    }
    // A third of a word may be wrong, and at least one character.
    let allowed = |candidate: &str| (word.len().max(candidate.len()) / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(&word, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate))
        .filter(|(distance, candidate)| *distance < word.len().min(candidate.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> Vec<char> {
    word.to_lowercase().chars().map(|letter| if letter == '-' { '_' } else { letter }).collect()
}

/// How many characters must be inserted, deleted, changed or swapped with a neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let (mut above_that, mut above) = (Vec::new(), (0..=to.len()).collect::<Vec<_>>());
    for row in 1..=from.len() {
        let mut next = vec![row];
        for column in 1..=to.len() {
            let same = from[row - 1] == to[column - 1];
            let changed = above[column - 1] + usize::from(!same);
            let mut least = changed.min(above[column] + 1).min(next[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && from[row - 1] == to[column - 2]
                && from[row - 2] == to[column - 1];
            if swapped {
                least = least.min(above_that[column - 2] + 1);
            }
            next.push(least);
        }
        above_that = std::mem::replace(&mut above, next);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: [&str; 4] = ["query_interval_ms", "give_up_after_ms", "body", "id"];

    #[test]
    fn finds_the_word_that_was_meant() {
        for (typed, meant) in [
            ("query_intervall_ms", "query_interval_ms"),
            ("query-interval-ms", "query_interval_ms"),
            ("qeury_interval_ms", "query_interval_ms"),
            ("Body", "body"),
            ("boyd", "body"),
            ("bdy", "body"),
        ] {
            assert_eq!(nearest(typed, KNOWN), Some(meant), "{typed}");
        }
    }

    #[test]
    fn suggests_nothing_far_fetched() {
        for typed in ["colour", "x", "", "name", &"query_interval_ms".repeat(10)] {
            assert_eq!(nearest(typed, KNOWN), None, "{typed}");
        }
    }

    fn letters(word: &str) -> Vec<char> {
        word.chars().collect()
    }

    #[test]
    fn counts_each_slip_once() {
        for (from, to, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "acb", 1),
            ("abc", "abcd", 1),
            ("语言", "语音", 1),
        ] {
            assert_eq!(distance(&letters(from), &letters(to)), slips, "{from} {to}");
        }
    }

    proptest! {
        #[test]
        fn the_way_back_is_as_long(from in "[a-d]{0,8}", to in "[a-d]{0,8}") {
            let (from, to) = (letters(&from), letters(&to));
            prop_assert_eq!(distance(&from, &to), distance(&to, &from));
            prop_assert_eq!(distance(&from, &to) == 0, from == to);
        }
    }
}
