//! Patterns with `*`, `**` and `?`, for paths, hosts and addresses of nodes.
//!
//! `*` stands for any letters but `/`, `**` for any at all, `?` for one but `/`. `**/` at the beginning or between also
//! stands for nothing, and `/**` at the end also for what it stands behind. Takes a time of pattern times text.

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    text: String,
    letters_count: bool,
}

/// A step of a pattern; its number is a state of the match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// This letter.
    Letter(char),
    /// One letter but `/`.
    One,
    /// Any letters but `/`.
    Within,
    /// Any letters.
    Across,
    /// Nothing, or what `Folders` stands for, the next piece.
    MaybeFolders,
    /// Any letters up to a `/`.
    Folders,
    /// Nothing, or a `/` and what the next piece stands for.
    MaybeBelow,
}

impl Pattern {
    /// A pattern in which the case of letters counts.
    pub fn new(text: &str) -> Pattern {
        Pattern { pieces: pieces(text), text: text.to_owned(), letters_count: true }
    }

    /// A pattern in which it does not.
    pub fn caseless(text: &str) -> Pattern {
        Pattern { pieces: pieces(&text.to_ascii_lowercase()), text: text.to_owned(), letters_count: false }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a text is as it says.
    pub fn matches(&self, text: &str) -> bool {
        let mut now = vec![false; self.pieces.len() + 1];
        let mut next = now.clone();
        self.enter(&mut now, 0);
        for letter in text.chars() {
            let letter = if self.letters_count { letter } else { letter.to_ascii_lowercase() };
            next.fill(false);
            for (state, piece) in self.pieces.iter().enumerate().filter(|(state, _)| now[*state]) {
                self.step(&mut next, state, *piece, letter);
            }
            std::mem::swap(&mut now, &mut next);
        }
        now.last().copied().unwrap_or_default()
    }

    /// Where a letter leads from a state.
    fn step(&self, next: &mut [bool], state: usize, piece: Piece, letter: char) {
        match piece {
            Piece::Letter(own) if own == letter => self.enter(next, state + 1),
            Piece::One if letter != '/' => self.enter(next, state + 1),
            Piece::Within if letter != '/' => self.enter(next, state),
            Piece::Across => self.enter(next, state),
            Piece::Folders => {
                next[state] = true;
                if letter == '/' {
                    self.enter(next, state + 1);
                }
            }
            Piece::MaybeBelow if letter == '/' => self.enter(next, state + 1),
            _ => {}
        }
    }

    /// Marks a state, and those that are reached from it without a letter.
    fn enter(&self, states: &mut [bool], state: usize) {
        if std::mem::replace(&mut states[state], true) {
            return;
        }
        match self.pieces.get(state) {
            Some(Piece::Within | Piece::Across) => self.enter(states, state + 1),
            Some(Piece::MaybeFolders) => {
                states[state + 1] = true;
                self.enter(states, state + 2);
            }
            Some(Piece::MaybeBelow) => self.enter(states, state + 2),
            _ => {}
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let begins_a_name = matches!(pieces.last(), None | Some(Piece::Letter('/') | Piece::Folders));
        let taken = match letter {
            _ if rest == "/**" => {
                pieces.extend([Piece::MaybeBelow, Piece::Across]);
                3
            }
            '*' if rest.starts_with("**/") && begins_a_name => {
                pieces.extend([Piece::MaybeFolders, Piece::Folders]);
                3
            }
            '*' if rest.starts_with("**") => {
                pieces.push(Piece::Across);
                2
            }
            '*' => {
                pieces.push(Piece::Within);
                1
            }
            '?' => {
                pieces.push(Piece::One);
                1
            }
            letter => {
                pieces.push(Piece::Letter(letter));
                letter.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).matches(text)
    }

    #[test]
    fn stars_stand_for_letters() {
        assert!(matches("a", "a") && !matches("a", "b") && !matches("a", "aa") && matches("", "") && !matches("", "a"));
        assert!(matches("*.pcap", "a.pcap") && matches("*.pcap", ".pcap") && !matches("*.pcap", "x/a.pcap"));
        assert!(matches("a?c", "abc") && !matches("a?c", "a/c") && !matches("a?c", "ac") && matches("ü?", "üö"));
        assert!(matches("*-*-x", "a-b-c-x") && !matches("*-*-x", "a-x"));
    }

    #[test]
    fn two_stars_cross_slashes() {
        assert!(
            matches("**/a.pcap", "a.pcap") && matches("**/a.pcap", "x/y/a.pcap") && !matches("**/a.pcap", "xa.pcap")
        );
        assert!(matches("a/**/b", "a/b") && matches("a/**/b", "a/x/y/b") && !matches("a/**/b", "a/xb"));
        assert!(matches("a/**", "a") && matches("a/**", "a/b/c") && matches("a/**", "a/") && !matches("a/**", "ab"));
        assert!(matches("**", "") && matches("**", "a/b") && matches("a**z", "a/b/z") && matches("**/**/a", "a"));
        assert!(matches("./Vendor/*/Policy/**", "./Vendor/MSFT/Policy/Config/X"));
    }

    #[test]
    fn case_counts_or_not() {
        assert!(!matches("Mdm.*", "mdm.example") && Pattern::caseless("Mdm.*").matches("mDM.Example"));
        assert_eq!(Pattern::caseless("Mdm.*").as_str(), "Mdm.*");
    }

    #[test]
    fn no_pattern_takes_long() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!Pattern::new(&pattern).matches(&"a".repeat(2000)));
        assert!(!Pattern::new(&"**/".repeat(200)).matches(&("a/".repeat(500) + "a")));
    }
}
