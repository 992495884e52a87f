//! Digests as words that two people can read to each other, so that nobody has to compare 64 hex digits by eye.
//!
//! The PGP word list (Juola and Zimmermann, 1995): each byte is one word. Bytes at even offsets use words of two
//! syllables and bytes at odd offsets words of three, so that a word left out, said twice or swapped with its
//! neighbour is noticed at once.

use subtle::ConstantTimeEq;

/// Bytes of a digest that a confirmation code shows: six words, 48 bits.
pub(crate) const CONFIRMATION_BYTES: usize = 6;

/// The longest text that [`parse`] looks at, in bytes: enough for 256 words.
const LONGEST_TEXT: usize = 4096;

/// The words for some bytes, separated by one space: `e58294f2` is `topmost Istanbul Pluto vagabond`.
pub fn of(bytes: &[u8]) -> String {
    let words: Vec<&str> = bytes.iter().enumerate().map(|(at, byte)| word(at, *byte)).collect();
    words.join(" ")
}

/// The confirmation code of the bytes that have this SHA-256: the words of its first six bytes.
pub fn confirmation(digest: &[u8; 32]) -> String {
    of(confirmed_part(digest))
}

/// As [`confirmation`], for a digest or a key that is written as 64 hexadecimal digits; nothing for another text.
pub fn of_digest(hexadecimal: &str) -> String {
    let mut digest = [0; 32];
    hex::decode_to_slice(hexadecimal, &mut digest).map(|()| confirmation(&digest)).unwrap_or_default()
}

/// Is `given` the confirmation code of this digest? Compared as [`matches()`] does.
pub(crate) fn confirms(given: &str, digest: &[u8; 32]) -> bool {
    matches(given, confirmed_part(digest))
}

/// Reads words back into bytes. Letter case does not matter, and neither do commas, hyphens and how much space stands
/// between the words. `None` when a word is not in the list, or is one of the other half at its place, which is what
/// a word left out looks like.
pub fn parse(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    split(text)
        .enumerate()
        .map(|(at, word)| {
            let found = half(at).iter().position(|known| known.eq_ignore_ascii_case(word))?;
            u8::try_from(found).ok()
        })
        .collect()
}

/// Are these the words of exactly these bytes? Compared in constant time. No words confirm nothing: empty bytes never
/// match.
pub(crate) fn matches(given: &str, bytes: &[u8]) -> bool {
    match parse(given) {
        Some(parsed) if !bytes.is_empty() => parsed.ct_eq(bytes).into(),
        _ => false,
    }
}

/// The first word that is not the confirmation code's at its place, by its number from 1, as it was typed; nothing typed
/// where there are too few. What is confirmed is no secret: it stands in the review.
pub(crate) fn first_wrong<'g>(given: &'g str, digest: &[u8; 32]) -> Option<(usize, &'g str)> {
    let mut typed = split(given);
    for (at, byte) in confirmed_part(digest).iter().enumerate() {
        match typed.next() {
            Some(one) if word(at, *byte).eq_ignore_ascii_case(one) => {}
            one => return Some((at + 1, one.unwrap_or_default())),
        }
    }
    typed.next().map(|one| (CONFIRMATION_BYTES + 1, one))
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',' || c == '-').filter(|word| !word.is_empty())
}

/// Are these the words of the first bytes of `bytes`, as many as a confirmation code has or more? Compared as [`matches()`]
/// does: who reads a longer line of words than is asked for may type all of it.
pub(crate) fn confirms_beginning(given: &str, bytes: &[u8]) -> bool {
    let count = parse(given).map_or(0, |parsed| parsed.len());
    count >= CONFIRMATION_BYTES && bytes.get(..count).is_some_and(|asked| matches(given, asked))
}

fn confirmed_part(digest: &[u8; 32]) -> &[u8] {
    digest.get(..CONFIRMATION_BYTES).unwrap_or(digest)
}

fn half(at: usize) -> &'static [&'static str; 256] {
    if at.is_multiple_of(2) { &TWO_SYLLABLES } else { &THREE_SYLLABLES }
}

fn word(at: usize, byte: u8) -> &'static str {
    half(at)[usize::from(byte)]
}

/// For bytes at even offsets (0, 2, 4 …).
#[rustfmt::skip]
const TWO_SYLLABLES: [&str; 256] = [
    "aardvark", "absurd", "accrue", "acme", "adrift", "adult", "afflict", "ahead", "aimless", "Algol",
    "allow", "alone", "ammo", "ancient", "apple", "artist", "assume", "Athens", "atlas", "Aztec", "baboon",
    "backfield", "backward", "banjo", "beaming", "bedlamp", "beehive", "beeswax", "befriend", "Belfast",
    "berserk", "billiard", "bison", "blackjack", "blockade", "blowtorch", "bluebird", "bombast",
    "bookshelf", "brackish", "breadline", "breakup", "brickyard", "briefcase", "Burbank", "button",
    "buzzard", "cement", "chairlift", "chatter", "checkup", "chisel", "choking", "chopper", "Christmas",
    "clamshell", "classic", "classroom", "cleanup", "clockwork", "cobra", "commence", "concert", "cowbell",
    "crackdown", "cranky", "crowfoot", "crucial", "crumpled", "crusade", "cubic", "dashboard", "deadbolt",
    "deckhand", "dogsled", "dragnet", "drainage", "dreadful", "drifter", "dropper", "drumbeat", "drunken",
    "Dupont", "dwelling", "eating", "edict", "egghead", "eightball", "endorse", "endow", "enlist", "erase",
    "escape", "exceed", "eyeglass", "eyetooth", "facial", "fallout", "flagpole", "flatfoot", "flytrap",
    "fracture", "framework", "freedom", "frighten", "gazelle", "Geiger", "glitter", "glucose", "goggles",
    "goldfish", "gremlin", "guidance", "hamlet", "highchair", "hockey", "indoors", "indulge", "inverse",
    "involve", "island", "jawbone", "keyboard", "kickoff", "kiwi", "klaxon", "locale", "lockup", "merit",
    "minnow", "miser", "Mohawk", "mural", "music", "necklace", "Neptune", "newborn", "nightbird", "Oakland",
    "obtuse", "offload", "optic", "orca", "payday", "peachy", "pheasant", "physique", "playhouse", "Pluto",
    "preclude", "prefer", "preshrunk", "printer", "prowler", "pupil", "puppy", "python", "quadrant",
    "quiver", "quota", "ragtime", "ratchet", "rebirth", "reform", "regain", "reindeer", "rematch", "repay",
    "retouch", "revenge", "reward", "rhythm", "ribcage", "ringbolt", "robust", "rocker", "ruffled",
    "sailboat", "sawdust", "scallion", "scenic", "scorecard", "Scotland", "seabird", "select", "sentence",
    "shadow", "shamrock", "showgirl", "skullcap", "skydive", "slingshot", "slowdown", "snapline",
    "snapshot", "snowcap", "snowslide", "solo", "southward", "soybean", "spaniel", "spearhead", "spellbind",
    "spheroid", "spigot", "spindle", "spyglass", "stagehand", "stagnate", "stairway", "standard", "stapler",
    "steamship", "sterling", "stockman", "stopwatch", "stormy", "sugar", "surmount", "suspense",
    "sweatband", "swelter", "tactics", "talon", "tapeworm", "tempest", "tiger", "tissue", "tonic",
    "topmost", "tracker", "transit", "trauma", "treadmill", "Trojan", "trouble", "tumor", "tunnel",
    "tycoon", "uncut", "unearth", "unwind", "uproot", "upset", "upshot", "vapor", "village", "virus",
    "Vulcan", "waffle", "wallet", "watchword", "wayside", "willow", "woodlark", "Zulu",
];

/// For bytes at odd offsets (1, 3, 5 …).
#[rustfmt::skip]
const THREE_SYLLABLES: [&str; 256] = [
    "adroitness", "adviser", "aftermath", "aggregate", "alkali", "almighty", "amulet", "amusement",
    "antenna", "applicant", "Apollo", "armistice", "article", "asteroid", "Atlantic", "atmosphere",
    "autopsy", "Babylon", "backwater", "barbecue", "belowground", "bifocals", "bodyguard", "bookseller",
    "borderline", "bottomless", "Bradbury", "bravado", "Brazilian", "breakaway", "Burlington",
    "businessman", "butterfat", "Camelot", "candidate", "cannonball", "Capricorn", "caravan", "caretaker",
    "celebrate", "cellulose", "certify", "chambermaid", "Cherokee", "Chicago", "clergyman", "coherence",
    "combustion", "commando", "company", "component", "concurrent", "confidence", "conformist",
    "congregate", "consensus", "consulting", "corporate", "corrosion", "councilman", "crossover",
    "crucifix", "cumbersome", "customer", "Dakota", "decadence", "December", "decimal", "designing",
    "detector", "detergent", "determine", "dictator", "dinosaur", "direction", "disable", "disbelief",
    "disruptive", "distortion", "document", "embezzle", "enchanting", "enrollment", "enterprise",
    "equation", "equipment", "escapade", "Eskimo", "everyday", "examine", "existence", "exodus",
    "fascinate", "filament", "finicky", "forever", "fortitude", "frequency", "gadgetry", "Galveston",
    "getaway", "glossary", "gossamer", "graduate", "gravity", "guitarist", "hamburger", "Hamilton",
    "handiwork", "hazardous", "headwaters", "hemisphere", "hesitate", "hideaway", "holiness", "hurricane",
    "hydraulic", "impartial", "impetus", "inception", "indigo", "inertia", "infancy", "inferno",
    "informant", "insincere", "insurgent", "integrate", "intention", "inventive", "Istanbul", "Jamaica",
    "Jupiter", "leprosy", "letterhead", "liberty", "maritime", "matchmaker", "maverick", "Medusa",
    "megaton", "microscope", "microwave", "midsummer", "millionaire", "miracle", "misnomer", "molasses",
    "molecule", "Montana", "monument", "mosquito", "narrative", "nebula", "newsletter", "Norwegian",
    "October", "Ohio", "onlooker", "opulent", "Orlando", "outfielder", "Pacific", "pandemic", "Pandora",
    "paperweight", "paragon", "paragraph", "paramount", "passenger", "pedigree", "Pegasus", "penetrate",
    "perceptive", "performance", "pharmacy", "phonetic", "photograph", "pioneer", "pocketful", "politeness",
    "positive", "potato", "processor", "provincial", "proximate", "puberty", "publisher", "pyramid",
    "quantity", "racketeer", "rebellion", "recipe", "recover", "repellent", "replica", "reproduce",
    "resistor", "responsive", "retraction", "retrieval", "retrospect", "revenue", "revival", "revolver",
    "sandalwood", "sardonic", "Saturday", "savagery", "scavenger", "sensation", "sociable", "souvenir",
    "specialist", "speculate", "stethoscope", "stupendous", "supportive", "surrender", "suspicious",
    "sympathy", "tambourine", "telephone", "therapist", "tobacco", "tolerance", "tomorrow", "torpedo",
    "tradition", "travesty", "trombonist", "truncated", "typewriter", "ultimate", "undaunted", "underfoot",
    "unicorn", "unify", "universe", "unravel", "upcoming", "vacancy", "vagabond", "vertigo", "Virginia",
    "visitor", "vocalist", "voyager", "warranty", "Waterloo", "whimsical", "Wichita", "Wilmington",
    "Wyoming", "yesteryear", "Yucatan",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    /// The fingerprint that explanations of the list use.
    const FINGERPRINT: &str = "e58294f2e9a227486e8b061b31cc528fd7fa3f19";
    const ITS_WORDS: &str = "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa \
                             afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless";

    #[test]
    fn the_well_known_fingerprint_has_its_well_known_words() {
        let bytes = hex::decode(FINGERPRINT).expect("hex");
        assert_eq!(of(&bytes), ITS_WORDS);
        assert_eq!(parse(ITS_WORDS), Some(bytes));
    }

    #[test]
    fn the_whole_list_is_the_published_one() {
        // SHA-256 of all 512 words in lower case, a line for each byte value, two words in a line; computed from
        // two independent copies of the list (the accent of the last word, which some copies have, taken off).
        let mut list = String::new();
        for (two, three) in TWO_SYLLABLES.iter().zip(THREE_SYLLABLES) {
            list += &format!("{two} {three}\n").to_lowercase();
        }
        assert_eq!(
            hex::encode(Sha256::digest(list)),
            "a24d0bcb9d754b40963109851b38ae943464a66944ca76d5698fb002761c0138"
        );
    }

    #[test]
    fn no_word_stands_twice() {
        let mut words: Vec<String> =
            TWO_SYLLABLES.iter().chain(&THREE_SYLLABLES).map(|w| w.to_lowercase()).collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 512);
    }

    #[test]
    fn what_a_person_types_is_read_generously() {
        let bytes = [0xe5, 0x82, 0x94, 0xf2];
        for typed in [
            "topmost istanbul pluto vagabond",
            "  TOPMOST   Istanbul\tPLUTO vagabond\n",
            "topmost-istanbul-pluto-vagabond",
            "topmost, Istanbul, Pluto, vagabond",
        ] {
            assert!(matches(typed, &bytes), "{typed}");
        }
    }

    #[test]
    fn a_word_left_out_swapped_added_or_misspelt_does_not_match() {
        let bytes = [0xe5, 0x82, 0x94, 0xf2];
        for typed in [
            "",
            "topmost",
            "topmost Istanbul Pluto",
            "Istanbul topmost Pluto vagabond",
            "topmost Pluto Istanbul vagabond",
            "topmost Istanbul Pluto vagabond topmost",
            "topmost Istanbul Pluto vagabund",
            "topmost Istanbul Pluto Istanbul",
        ] {
            assert!(!matches(typed, &bytes), "{typed}");
        }
        assert!(!matches("", &[]));
    }

    #[test]
    fn a_confirmation_is_six_words_of_the_digest() {
        let digest = [0xe5; 32];
        assert_eq!(confirmation(&digest).split(' ').count(), 6);
        assert!(confirms(&confirmation(&digest), &digest));
        assert!(!confirms(&of(&digest[..5]), &digest));
    }

    #[test]
    fn the_first_wrong_word_is_named_by_its_place() {
        let digest = [0xe5; 32];
        let code = confirmation(&digest);
        let words: Vec<&str> = code.split(' ').collect();
        assert_eq!(first_wrong(&code.to_uppercase(), &digest), None);
        assert_eq!(first_wrong(&code.replacen(words[0], "adviser", 1), &digest), Some((1, "adviser")));
        let last = format!("{} adviser", words[..5].join(", "));
        assert_eq!(first_wrong(&last, &digest), Some((6, "adviser")));
        assert_eq!(first_wrong(&words[..4].join(" "), &digest), Some((5, "")));
        assert_eq!(first_wrong(&format!("{code} more"), &digest), Some((7, "more")));
        assert_eq!(first_wrong("", &digest), Some((1, "")));
    }

    proptest! {
        #[test]
        fn words_read_back_are_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(parse(&of(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_is_read_without_harm(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
