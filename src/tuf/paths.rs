//! Paths: which targets a delegated role may provide, and the search that tells it of one target after another.

use super::Digest;
use crate::text::Foreign;
use std::collections::HashSet;

/// Which targets a delegated role may provide: clients look for no other in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paths {
    /// Those whose path one of these patterns matches. Foreign text.
    Patterns(Vec<String>),
    /// Those whose path has a SHA-256 that begins with one of these hex digits. Foreign text.
    HashPrefixes(Vec<String>),
    /// Those whose path has a SHA-256 that begins with these bits (TAP 15): how many, and which number they are; of all
    /// bins together, none.
    Bin(u32, Option<u32>),
}

impl Paths {
    /// What is asked about each target.
    pub(crate) fn search(&self) -> Search<'_> {
        let mut search = Search { plain: HashSet::new(), patterns: Vec::new(), bin: None, left: MAX_STEPS };
        match self {
            Paths::Patterns(patterns) => {
                for pattern in patterns {
                    if pattern.contains(WILD) {
                        search.patterns.push(Pattern::of(pattern));
                    } else {
                        search.plain.insert(Plain::Path(pattern));
                    }
                }
            }
            Paths::HashPrefixes(prefixes) => {
                search.plain.extend(prefixes.iter().map(|one| Plain::HashPrefix(one)));
            }
            Paths::Bin(bits, bin) => search.bin = Some((*bits, *bin)),
        }
        search
    }

    /// Patterns and the like, each in words and quoted. Foreign text in them is escaped.
    pub(crate) fn described(&self) -> Vec<String> {
        match self {
            Paths::Patterns(patterns) => {
                patterns.iter().map(|path| format!("\"{}\"", Foreign(path))).collect()
            }
            Paths::HashPrefixes(prefixes) => {
                let said =
                    |prefix: &String| format!("paths whose SHA-256 begins with \"{}\"", Foreign(prefix));
                prefixes.iter().map(said).collect()
            }
            Paths::Bin(bits, None) => vec![format!("all paths, by the first {bits} bits of their SHA-256")],
            Paths::Bin(bits, Some(bin)) => {
                vec![format!("paths whose SHA-256 begins with the {bits} bits of the number {bin}")]
            }
        }
    }
}

/// The characters that make a pattern of a path.
const WILD: [char; 3] = ['*', '?', '['];

/// So many steps a search takes at most: a thousand patterns with fifty thousand targets.
const MAX_STEPS: u64 = 50_000_000;

/// Paths made ready to be searched. What is plain costs a target the same however many there are; patterns cost steps,
/// which are counted over all targets.
pub(crate) struct Search<'p> {
    plain: HashSet<Plain<'p>>,
    patterns: Vec<Pattern<'p>>,
    bin: Option<(u32, Option<u32>)>,
    left: u64,
}

#[derive(PartialEq, Eq, Hash)]
enum Plain<'p> {
    Path(&'p str),
    HashPrefix(&'p str),
}

impl Search<'_> {
    /// May the role provide the target of this path? `None` where that would take more steps than are left.
    pub(crate) fn allows(&mut self, path: &str) -> Option<bool> {
        if let Some((bits, bin)) = self.bin {
            return Some(bin.is_none_or(|bin| bin == bin_of(path, bits)));
        }
        let digest = Digest::of(path.as_bytes()).to_string();
        let begins = |length: usize| self.plain.contains(&Plain::HashPrefix(&digest[..length]));
        if self.plain.contains(&Plain::Path(path)) || (0..=digest.len()).any(begins) {
            return Some(true);
        }
        let parts: Vec<Vec<char>> = path.split('/').map(|part| part.chars().collect()).collect();
        for pattern in &self.patterns {
            self.left = self.left.checked_sub(1)?;
            if path.starts_with(pattern.literal) && pattern.matches(&parts, &mut self.left)? {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// A pattern as python-tuf and the specification (section 4.5) mean it: part by part between slashes, with `*`, `?` and
/// `[...]`; the narrowest reading of all clients.
struct Pattern<'p> {
    /// What a path must begin with.
    literal: &'p str,
    parts: Vec<Vec<Token>>,
}

enum Token {
    Star,
    Any,
    Literal(char),
    /// One of these ranges, which are sorted and apart; or, negated, none of them.
    Set(Vec<(char, char)>, bool),
}

impl Pattern<'_> {
    fn of(pattern: &str) -> Pattern<'_> {
        let literal = pattern.split(WILD).next().unwrap_or_default();
        let parts = pattern.split('/').map(|part| tokens(&part.chars().collect::<Vec<_>>())).collect();
        Pattern { literal, parts }
    }

    fn matches(&self, parts: &[Vec<char>], left: &mut u64) -> Option<bool> {
        if self.parts.len() != parts.len() {
            return Some(false);
        }
        for (pattern, part) in self.parts.iter().zip(parts) {
            if !matches_part(pattern, part, left)? {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// One part of a pattern.
fn tokens(part: &[char]) -> Vec<Token> {
    let last_close = part.iter().rposition(|c| *c == ']').unwrap_or_default();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(c) = part.get(at) {
        at += 1;
        match c {
            '*' if matches!(out.last(), Some(Token::Star)) => {}
            '*' => out.push(Token::Star),
            '?' => out.push(Token::Any),
            '[' => {
                let negated = part.get(at) == Some(&'!');
                let from = at + usize::from(negated);
                // A bracket that stands first belongs to the set.
                if last_close <= from {
                    out.push(Token::Literal('['));
                    continue;
                }
                let end = (from + 1..=last_close).find(|end| part[*end] == ']').unwrap_or(last_close);
                out.push(Token::Set(ranges(&part[from..end]), negated));
                at = end + 1;
            }
            literal => out.push(Token::Literal(*literal)),
        }
    }
    out
}

/// The ranges of a set, sorted and joined.
fn ranges(mut set: &[char]) -> Vec<(char, char)> {
    let mut all = Vec::new();
    while let Some((first, rest)) = set.split_first() {
        set = match rest {
            ['-', last, rest @ ..] => {
                all.push((*first, *last));
                rest
            }
            rest => {
                all.push((*first, *first));
                rest
            }
        };
    }
    all.retain(|(first, last)| first <= last);
    all.sort_unstable();
    let mut joined: Vec<(char, char)> = Vec::new();
    for (first, last) in all {
        match joined.last_mut() {
            Some((_, until)) if first <= *until => *until = last.max(*until),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// Does a part match? Goes back to the last `*` only, so that no pattern takes more than its length times the part's.
fn matches_part(pattern: &[Token], part: &[char], left: &mut u64) -> Option<bool> {
    let (mut at, mut here, mut star) = (0, 0, None);
    while here < part.len() {
        *left = left.checked_sub(1)?;
        match pattern.get(at) {
            Some(Token::Star) => {
                star = Some((at + 1, here));
                at += 1;
            }
            Some(token) if token.matches(part[here]) => (at, here) = (at + 1, here + 1),
            _ => match &mut star {
                Some((after, from)) => {
                    *from += 1;
                    (at, here) = (*after, *from);
                }
                None => return Some(false),
            },
        }
    }
    Some(pattern[at..].iter().all(|token| matches!(token, Token::Star)))
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Token::Star => false,
            Token::Any => true,
            Token::Literal(literal) => *literal == c,
            Token::Set(ranges, negated) => {
                let next = ranges.partition_point(|(first, _)| *first <= c);
                let is_in = next.checked_sub(1).is_some_and(|at| c <= ranges[at].1);
                is_in != *negated
            }
        }
    }
}

/// The number of the bin that a path falls into.
fn bin_of(path: &str, bits: u32) -> u32 {
    let digest = Digest::of(path.as_bytes()).0;
    let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    first.checked_shr(32 - bits.min(32)).unwrap_or(0)
}
