//! The rehearsal in a script, at a terminal, and typed by hand at a practice station; what it shows is in tests/transcripts.

use crate::common;

use common::{Desk, text};
use countersign::testing::cli::Exit;

#[test]
fn as_json_it_says_where_things_are_and_nothing_else() {
    let desk = Desk::new();
    let folder = desk.path("practice");
    let told = desk.run(&["--json", "rehearse", text(&folder)]).done().json();
    assert_eq!(told["review"], text(&folder.join("stick/spring-42-signed/review.html")));
    assert_eq!(told["report"], text(&folder.join("report.html")));
    for name in ["stick/spring-42-signed/review.html", "report.html"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    let again = desk.run(&["rehearse", text(&folder)]).ended(Exit::Failed);
    assert!(again.err.contains("there is something there already"), "{}", again.err);
    desk.run(&["rehearse", "--hands-on"]).ended(Exit::Usage);
}

mod terminal {
    use super::*;
    use expectrl::{Eof, Expect, Regex, session::OsSession};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Duration;

    struct Rehearsal {
        _desk: Desk,
        folder: PathBuf,
        session: OsSession,
    }

    impl Rehearsal {
        /// A rehearsal in a terminal of 120 columns, high enough that nothing is paged.
        fn new(more: &[&str]) -> Rehearsal {
            let desk = Desk::new();
            let folder = desk.path("practice");
            let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
            command.arg("rehearse").args(more).arg(&folder).env("TERM", "xterm").env("NO_COLOR", "1");
            let mut session = OsSession::spawn(command).expect("a pseudo-terminal");
            session.get_process_mut().set_window_size(120, 2000).expect("a size");
            session.set_expect_timeout(Some(Duration::from_secs(120)));
            Rehearsal { _desk: desk, folder, session }
        }

        /// Waits for the question and answers it; returns what was shown before it.
        #[track_caller]
        fn answer(&mut self, question: &str, with: &str) -> String {
            let found = self.session.expect(question);
            let found = found.unwrap_or_else(|e| panic!("{question:?} was not asked: {e}"));
            let before = String::from_utf8_lossy(found.before()).into_owned();
            self.session.send_line(with).expect("typed");
            before
        }

        fn rest(&mut self) -> String {
            let rest = self.session.expect(Eof).expect("it ends");
            String::from_utf8_lossy(rest.as_bytes()).into_owned()
        }

        /// The words on the paper that came another way.
        fn paper(&mut self) -> String {
            let shown =
                self.session.expect(Regex(r"another way says:\s+#\s+([A-Za-z ]+)\r?\n")).expect("the paper");
            let words = String::from_utf8_lossy(shown.get(1).expect("the words")).into_owned();
            words.split(' ').take(6).collect::<Vec<_>>().join(" ")
        }

        /// The words at the end of the review, when she has read it.
        fn review(&mut self) -> String {
            let shown = self.session.expect(Regex(r"(?s)Step 3 of 6.*Enter: go on")).expect("the review");
            self.session.send_line("").expect("typed");
            common::words_in(&String::from_utf8_lossy(shown.get(0).expect("a match")))
        }
    }

    fn entries(folder: &Path, kind: &str) -> usize {
        let file = folder.join("station/log/events/000000.jsonl");
        let lines = std::fs::read_to_string(file).expect("the log");
        lines.lines().filter(|line| line.contains(&format!("\"type\":\"{kind}\""))).count()
    }

    #[test]
    fn at_a_terminal_it_waits_at_each_screen_and_the_words_are_typed() {
        const ON: &str = "Enter: go on   q: stop here > ";
        let mut rehearsal = Rehearsal::new(&[]);
        let paper = rehearsal.paper();
        rehearsal.answer("Type the Factory's name again: ", "rehearsal");
        // A slip of the hand is no end: the same screen comes again.
        rehearsal.answer("type the first six words or more", "one two three four five six");
        rehearsal.answer("Enter: try again   q: stop here > ", "");
        rehearsal.answer("Type the Factory's name again: ", "rehearsal");
        rehearsal.answer("type the first six words or more", &paper);
        for screen in [
            "Log key",
            "Officer ann added",
            "Officer bob added",
            "Officer cho added",
            "1696d39c",
            "Written to",
        ] {
            let shown = rehearsal.answer(ON, "");
            assert!(shown.contains(screen), "{screen}\n{shown}");
        }
        rehearsal.answer("Enter: go on   b: back", "");
        rehearsal.answer("Enter: take it in", "");
        rehearsal.answer("Enter: read the review", "");
        let words = rehearsal.review();
        rehearsal.answer("Enter: go on to signing", "");
        rehearsal.answer("Who opens the key?", "ann bob");
        rehearsal.answer("ann, the words at the end of the review: ", &words);
        rehearsal.answer("Enter: write the bundle", "");
        rehearsal.answer("Enter: write to ", "");
        for screen in [
            "read back and verified",
            "The bundle is whole",
            "928815b884fe|Request",
            "CANNOT BE SIGNED",
            "cho rejected",
        ] {
            let shown = rehearsal.answer(ON, "");
            assert!(screen.split('|').any(|one| shown.contains(one)), "{screen}\n{shown}");
        }
        rehearsal.answer(ON, "q");
        let rest = rehearsal.rest();
        assert!(rest.contains("Stopped. What was made up is in"), "{rest}");
        assert_eq!(entries(&rehearsal.folder, "sign.result"), 1);
        assert_eq!(entries(&rehearsal.folder, "approval.denied"), 1);
    }

    #[test]
    fn at_the_practice_station_every_command_is_hers_and_a_hint_is_one_word_away() {
        const PROMPT: &str = "practice (hint, skip, q) $ ";
        let mut rehearsal = Rehearsal::new(&["--hands-on"]);
        let paper = rehearsal.paper();
        // What is not asked for yet is a command like any other, and what is wrong is told as at the laptop.
        rehearsal.answer(PROMPT, "countersign status");
        let shown = rehearsal.answer(PROMPT, "hint");
        assert!(shown.contains("countersign init"), "{shown}");
        let shown = rehearsal.answer(PROMPT, "init --factory rehearsal --roots download/prod-roots --online-key download/ci-targets.pub --networked");
        assert!(
            shown.contains("$ countersign init --factory rehearsal --roots download/prod-roots"),
            "{shown}"
        );
        rehearsal.answer("Type the Factory's name again: ", "rehearsal");
        rehearsal.answer("type the first six words or more", &paper);
        // Out of order is no mistake.
        for officer in ["bob", "ann", "cho"] {
            let shown = rehearsal.answer(PROMPT, &format!("countersign officer add {officer}"));
            assert_eq!(officer == "ann", shown.contains("This is not done yet"), "{shown}");
            let phrase = format!("{officer} walks eleven quiet harbours");
            rehearsal.answer("New passphrase for ", &phrase);
            rehearsal.answer("The same passphrase again: ", &phrase);
        }
        let shown = rehearsal.answer(PROMPT, "skip");
        assert!(shown.contains("Officer cho added") && shown.contains("stick/targets.keys.tgz"), "{shown}");
        let shown = rehearsal.answer(PROMPT, "key list");
        assert!(shown.contains("$ countersign key import stick/targets.keys.tgz"), "{shown}");
        let shown = rehearsal.answer(PROMPT, "countersign review \"open");
        assert!(shown.contains("opens with   any 2"), "{shown}");
        let shown = rehearsal.answer(PROMPT, "q");
        assert!(shown.contains("A quotation mark is open"), "{shown}");
        assert!(rehearsal.rest().contains("Stopped."));
        assert_eq!(entries(&rehearsal.folder, "officer.added"), 3);
        assert_eq!(entries(&rehearsal.folder, "key.imported"), 1);
    }
}
