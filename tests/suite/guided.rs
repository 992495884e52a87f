//! The guided run: the whole ceremony in one sitting, stopping and going back anywhere, and once through a real
//! pseudo-terminal.

use crate::common;

use common::{Desk, fixture, passphrase_of, text};
use countersign::testing::cli::Exit;
use std::path::{Path, PathBuf};

/// A station with three officers, a key that any two of them open, and a request for its first wave.
struct Sitting {
    desk: Desk,
    request: PathBuf,
}

/// Enter.
const ON: &str = "";

impl Sitting {
    fn new() -> Sitting {
        let desk = Desk::new();
        desk.init("acme", "acme", "1-populate");
        for officer in ["alice", "bob", "cho"] {
            desk.add_officer(officer);
        }
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice,bob,cho", "2");
        let request = desk.request(&fixture("acme/1-populate"), "acme", "populate-targets", 12, &[]);
        Sitting { desk, request }
    }

    fn bundle(&self) -> PathBuf {
        self.desk.path("populate-targets-12-signed")
    }

    /// The words that a reader finds in the review. Asking for them is a ceremony of its own on this station.
    fn words(&self) -> String {
        let (_, review) = self.desk.import(&self.request);
        review["confirm"].as_str().expect("words").to_owned()
    }

    /// Runs with these answers and passphrases; every one of them must have been asked for.
    #[track_caller]
    fn run(&self, answers: &[&str], passphrases: &[&str]) -> common::Ran {
        let put = |queue: &std::sync::Mutex<std::collections::VecDeque<String>>, what: Vec<String>| {
            queue.lock().expect("lock").extend(what);
        };
        put(&self.desk.terminal.answers, answers.iter().map(|answer| (*answer).to_owned()).collect());
        put(&self.desk.terminal.secrets, passphrases.iter().map(|name| passphrase_of(name)).collect());
        let ran = self.desk.run(&["run", text(&self.request)]);
        let left = self.desk.terminal.answers.lock().expect("lock").clone();
        assert!(left.is_empty(), "not asked for: {left:?}\n{}\n{}", ran.out, ran.err);
        let left = self.desk.terminal.secrets.lock().expect("lock").len();
        assert_eq!(left, 0, "passphrases not asked for\n{}\n{}", ran.out, ran.err);
        ran
    }

    fn entries(&self, kind: &str) -> usize {
        let folder = self.desk.station().join("log/events");
        let mut count = 0;
        for file in std::fs::read_dir(folder).expect("the log") {
            let lines = std::fs::read_to_string(file.expect("a file").path()).expect("read");
            count += lines.lines().filter(|line| line.contains(&format!("\"type\":\"{kind}\""))).count();
        }
        count
    }
}

#[test]
fn a_whole_ceremony_in_one_sitting_ends_with_the_bundle_and_the_list_for_paper() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let ran = sitting.run(&[ON, ON, ON, ON, "alice bob", &words, ON, ON], &["alice", "bob"]).done();
    for step in 1..=6 {
        assert!(ran.out.contains(&format!("Step {step} of 6: ")), "step {step}\n{}", ran.out);
    }
    let list = ran.out.split("Write this on paper").nth(1).expect("the list for paper");
    for wanted in [
        "acme wave populate-targets, tag production, version 12",
        &words,
        "alice, bob (strength L1)",
        "countersign log head",
    ] {
        assert!(list.contains(wanted), "{wanted}\n{list}");
    }
    assert!(ran.err.contains("bob, your passphrase: "), "{}", ran.err);
    // What stands in the bundle is what fioctl would have posted.
    let posted = common::json(&sitting.bundle().join("upload/wave-create.json"));
    assert_eq!(posted, common::json(&fixture("acme/1-populate/wave-create.json")));
    sitting.desk.run(&["verify", text(&sitting.bundle())]).done();
}

#[test]
fn stopping_anywhere_loses_nothing_and_the_next_run_goes_on() {
    let sitting = Sitting::new();
    let words = sitting.words();
    for stopped in [&["q"][..], &[ON, "q"], &[ON, ON, "q"], &[ON, ON, ON, "q"], &[ON, ON, ON, ON, "q"]] {
        let ran = sitting.run(stopped, &[]).ended(Exit::NotApproved);
        assert!(ran.out.contains("To go on: countersign run "), "{}", ran.out);
        assert_eq!(sitting.entries("sign.intent"), 0);
    }
    // Signed, then stopped before the export: the next run does not sign again.
    let signed = [ON, ON, ON, ON, "bob cho", &words, "q"];
    let ran = sitting.run(&signed, &["bob", "cho"]).ended(Exit::NotApproved);
    assert!(ran.out.contains("signed, and not exported yet"), "{}", ran.out);
    let ran = sitting.run(&[ON, ON, ON], &[]).done();
    assert!(ran.out.contains("It was signed on ") && ran.out.contains("goes on from step 6"), "{}", ran.out);
    assert_eq!(sitting.entries("sign.result"), 1);
    assert!(sitting.bundle().join("SHA256SUMS").exists());
}

#[test]
fn stopping_after_an_export_says_that_the_bundle_was_written() {
    let sitting = Sitting::new();
    let words = sitting.words();
    sitting.run(&[ON, ON, ON, ON, "alice bob", &words, ON, ON], &["alice", "bob"]).done();
    let ran = sitting.run(&[ON, ON, "q"], &[]).ended(Exit::NotApproved);
    let told = format!("signed, and its bundle was written to {}", text(&sitting.bundle()));
    assert!(ran.out.contains(&told) && !ran.out.contains("not exported"), "{}", ran.out);
}

#[test]
fn what_is_copied_by_hand_is_ten_short_lines_with_six_words_for_each_digest() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let ran = sitting.run(&[ON, ON, ON, ON, "alice bob", &words, ON, ON], &["alice", "bob"]).done();
    let (_, form) = ran.out.split_once("Write this on paper").expect("the form");
    let rows: Vec<&str> =
        form.lines().filter(|line| line.starts_with("  ") && !line.contains("____")).collect();
    assert_eq!(rows.len(), 9, "{form}");
    assert!(!rows.iter().any(|row| row.len() > 80), "{form}");
    assert!(!rows.iter().any(|row| has_digest(row)), "{form}");
    let request = sitting.desk.run(&["--json", "fingerprint", text(&sitting.request)]).done().json();
    assert!(form.contains(request["words"].as_str().expect("words")), "{form}");
}

/// Does it hold what nobody copies by hand?
fn has_digest(row: &str) -> bool {
    row.split_whitespace().any(|word| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[test]
fn every_step_can_be_left_backwards() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let ran = sitting.run(
        &[
            "b",
            ON,  // there is nothing before the first step
            "b", // from the import
            ON,
            ON, // on to the review
            "b",
            ON, // the import again
            ON, // from the review
            "b",
            ON,
            ON, // from the approvals
            "b",
            ON,
            "alice bob",
            &words, // from the signature
            "b",
            ON,
            ON,
            ON, // and after it
        ],
        &["alice", "bob"],
    );
    let ran = ran.done();
    assert_eq!(sitting.entries("request.imported"), 1, "imported for the words, and not again by the run");
    assert_eq!(ran.out.matches("Step 3 of 6").count(), 3, "{}", ran.out);
}

#[test]
fn a_wrong_word_too_few_officers_and_a_wrong_name_can_be_mended_on_the_spot() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let wrong = words.replacen(' ', " aardvark ", 1);
    let ran = sitting.run(
        &[
            ON,
            ON,
            ON,
            ON, // as far as the signature
            "alice bob",
            &wrong,
            ON, // other words
            "alice",
            ON, // one officer alone: said before the words are asked
            "mallory bob",
            ON, // nobody of that name
            "alice bob",
            &words,
            ON,
            ON,
        ],
        &["alice", "alice", "bob"],
    );
    let ran = ran.done();
    assert!(ran.err.contains("the confirmation words are not those of this request (word "), "{}", ran.err);
    assert!(ran.err.contains("mallory"), "{}", ran.err);
    assert!(sitting.entries("sign.aborted") >= 2);
    assert_eq!(sitting.entries("sign.result"), 1);
}

#[test]
fn approvals_that_are_missing_are_counted_before_a_word_or_a_passphrase_is_asked() {
    let sitting = Sitting::new();
    sitting.words();
    let policy = sitting.desk.run(&["policy", "show"]).done().out;
    let strict = sitting.desk.path("strict.toml");
    std::fs::write(&strict, policy.replace("\ncount = 1\n", "\ncount = 3\n")).expect("written");
    sitting.desk.by(&["alice", "bob", "cho"], &["policy", "set", text(&strict)]).done();
    let ran = sitting.run(&[ON, ON, ON, ON, "alice bob", "q"], &[]).ended(Exit::NotApproved);
    assert!(ran.out.contains("The policy asks for 3 approvals."), "{}", ran.out);
    assert!(ran.out.contains("It waits for alice and bob and cho."), "{}", ran.out);
    assert!(ran.err.contains("2 of the 3 approvals") && ran.err.contains("It waits for cho."), "{}", ran.err);
    assert!(!ran.err.contains("the words at the end"), "{}", ran.err);
}

#[test]
fn a_lost_stick_does_not_stop_what_was_taken_in_from_it() {
    let sitting = Sitting::new();
    sitting.words();
    std::fs::rename(&sitting.request, sitting.desk.path("lost")).expect("moved");
    let ran = sitting.run(&[ON, "q"], &[]);
    assert_eq!(ran.exit, Exit::Failed, "{}", ran.err);
    let id = sitting.desk.run(&["--json", "status"]).done().json()["requests"][0]["request"].clone();
    let goes_on =
        format!("countersign review {}, then sign and export", &id.as_str().expect("a digest")[..12]);
    assert!(ran.err.contains("there is nothing here") && ran.err.contains(&goes_on), "{}", ran.err);
}

#[test]
fn the_last_wrong_passphrase_says_what_stands_and_how_to_go_on() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let wrong = ["mallory", "mallory", "mallory", "enter"];
    let ran = sitting.run(&[ON, ON, ON, ON, "alice bob", &words, "q"], &wrong).ended(Exit::NotApproved);
    let short = sitting.desk.run(&["--json", "status"]).done().json()["requests"][0]["request"].clone();
    let told = format!(
        "That was the last try. The request is taken in and was shown. Nothing was signed. To go on: countersign run {} \
         (this step alone: countersign sign {} --officer NAME)",
        text(&sitting.request),
        &short.as_str().expect("a digest")[..12]
    );
    assert!(ran.err.contains(&told), "{}", ran.err);
    assert_eq!(sitting.entries("sign.intent"), 0);
    // A single command says the same of itself.
    let secrets = ["mallory", "mallory", "mallory", ""].map(passphrase_of);
    sitting.desk.terminal.secrets.lock().expect("lock").extend(secrets);
    let ran =
        sitting.desk.run(&["sign", "--officer", "alice,bob", "--confirm", &words]).ended(Exit::NotApproved);
    let told = "Nothing was signed or changed. To go on: countersign --station ";
    assert!(
        ran.err.contains(told) && ran.err.contains(" sign --officer alice,bob --confirm '"),
        "{}",
        ran.err
    );
}

#[test]
fn what_the_screens_say_is_true_where_one_officer_is_enough() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    desk.add_officer("ann");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let request = desk.request(&fixture("acme/1-populate"), "acme", "populate-targets", 12, &[]);
    let answers = [ON, ON, ON, ON, ON, "q"].map(str::to_owned);
    desk.terminal.answers.lock().expect("lock").extend(answers);
    let ran = desk.run(&["run", text(&request)]).ended(Exit::NotApproved);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("opens with ann.") && said.contains("Who opens the key? Her name."), "{said}");
    for others in ["everybody", "every officer", "Names, with a space", "officers who"] {
        assert!(!said.contains(others), "{others}: {said}");
    }
}

#[test]
fn an_officer_can_approve_without_signing() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let ran = sitting
        .run(&[ON, ON, ON, "cho", &words, ON, "alice bob", &words, ON, ON], &["cho", "alice", "bob"])
        .done();
    assert!(ran.out.contains("cho approved, until "), "{}", ran.out);
    assert_eq!(sitting.entries("approval.granted"), 3);
}

#[test]
fn who_took_the_request_in_is_kept_from_approving_it_in_the_same_sitting() {
    let sitting = Sitting::new();
    sitting.words();
    let policy = sitting.desk.run(&["policy", "show"]).done().out;
    let strict = sitting.desk.path("strict.toml");
    std::fs::write(&strict, policy.replace("importer_may_approve = true", "importer_may_approve = false"))
        .expect("written");
    sitting.desk.by(&["alice"], &["policy", "set", text(&strict)]).done();
    // The review names the policy, and the words are of the review.
    let review = sitting.desk.run(&["--json", "review"]).json();
    let words = review["confirm"].as_str().expect("words");
    let answers = [ON, "cho", ON, ON, "cho", words, ON, ON, "alice bob", words, ON, ON];
    let ran = sitting.run(&answers, &["cho", "alice", "bob"]).done();
    assert!(ran.err.contains("cho imported this request"), "{}", ran.err);
    assert_eq!(sitting.entries("approval.granted"), 2);
}

#[test]
fn a_rejection_ends_the_sitting_and_holds() {
    let sitting = Sitting::new();
    sitting.words();
    let reason = "the version was not tested";
    let ran = sitting.run(&[ON, ON, ON, "reject bob", reason], &["bob"]).ended(Exit::NotApproved);
    assert!(ran.out.contains("bob rejected request"), "{}", ran.out);
    let ran = sitting.run(&[ON, ON, ON, ON, "alice cho", "q"], &[]);
    assert!(ran.err.contains(reason), "{}", ran.err);
    assert_eq!(ran.exit, Exit::NotApproved);
    assert_eq!(sitting.entries("sign.intent"), 0);
}

#[test]
fn a_blocked_request_goes_no_further_than_the_review() {
    let sitting = Sitting::new();
    sitting.desk.clock.set("2028-01-01T00:00:00Z");
    let ran = sitting.run(&[ON, ON, ON, ON, "q"], &[]).ended(Exit::NotApproved);
    assert!(ran.out.contains("This request is blocked."), "{}", ran.out);
    assert!(!ran.out.contains("Step 4 of 6"), "{}", ran.out);
}

#[test]
fn a_stick_that_cannot_be_written_does_not_lose_the_signature() {
    let sitting = Sitting::new();
    let words = sitting.words();
    std::fs::write(sitting.bundle(), b"in the way").expect("written");
    let elsewhere = sitting.desk.path("elsewhere");
    let ran =
        sitting.run(&[ON, ON, ON, ON, "alice bob", &words, ON, ON, ON, text(&elsewhere)], &["alice", "bob"]);
    ran.done();
    assert_eq!(sitting.entries("export.failed"), 1);
    assert!(elsewhere.join("upload/wave-create.json").exists());
}

#[test]
fn on_a_machine_that_is_not_fit_the_request_can_be_read_and_not_signed() {
    let sitting = Sitting::new();
    let words = sitting.words();
    let log_key = sitting.desk.station().join("log/vkey");
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&log_key, open_to_all).expect("opened to all");
    let ran = sitting.run(&[ON, "read", ON, ON, ON, "alice bob", &words, "q"], &[]).ended(Exit::Refused);
    assert!(ran.out.contains("This machine is not fit"), "{}", ran.out);
    assert!(ran.err.contains("this machine is not fit for a signature"), "{}", ran.err);
    assert_eq!(sitting.entries("sign.intent"), 0);
}

#[test]
fn without_a_terminal_it_says_which_commands_to_use() {
    let sitting = Sitting::new();
    let program = env!("CARGO_BIN_EXE_countersign");
    let output = std::process::Command::new(program)
        .args(["--station", text(&sitting.desk.station()), "run", text(&sitting.request)])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("import, review, sign and export"));
}

mod terminal {
    use super::*;
    use countersign::testing::host::RealDisk;
    use countersign::testing::host::clock::{Clock, SystemClock};
    use countersign::testing::rehearsal::Factory;
    use expectrl::{Eof, Expect, Regex, session::OsSession};
    use std::process::Command;
    use std::time::Duration;

    /// The program in a terminal of 120 columns, high enough that nothing is paged.
    fn spawn(station: &Path, request: &Path) -> OsSession {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--station").arg(station).arg("run").arg(request);
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        let mut session = OsSession::spawn(command).expect("a pseudo-terminal");
        session.get_process_mut().set_window_size(120, 2000).expect("a size");
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        session
    }

    /// Waits for the question and answers it.
    #[track_caller]
    fn answer(session: &mut OsSession, question: &str, with: &str) {
        session.expect(question).unwrap_or_else(|e| panic!("{question:?} was not asked: {e}"));
        session.send_line(with).expect("typed");
    }

    /// A station and a request, made now: the program runs by the machine's clock.
    fn made_now() -> (Desk, PathBuf) {
        let now = SystemClock.now();
        let desk = Desk::new();
        desk.clock.set(&now.to_string());
        let mut factory = Factory::new(7, "pty", now);
        factory.build([12]);
        let step = desk.path("step");
        factory.write_step(&RealDisk, &step, 12).expect("written");
        let key_file = desk.path("targets.keys.tgz");
        factory.write_key_file(&RealDisk, &key_file, 0).expect("written");
        let (roots, online) = (step.join("prod-roots"), step.join("ci-targets.pub"));
        let fingerprint = factory.fingerprint();
        desk.run(&[
            "init",
            "--factory",
            "pty",
            "--roots",
            text(&roots),
            "--online-key",
            text(&online),
            "--fingerprint",
            &fingerprint,
            "--networked",
        ])
        .done();
        desk.add_officer("alice");
        desk.add_officer("bob");
        desk.import_key(&key_file, "alice,bob", "2");
        let request = desk.path("request");
        desk.run(&[
            "request",
            "--from",
            text(&step),
            "--factory",
            "pty",
            "--wave",
            "w1",
            "--version",
            "12",
            "--tag",
            "production",
            "--out",
            text(&request),
        ])
        .done();
        (desk, request)
    }

    #[test]
    fn while_the_run_waits_a_second_terminal_reads_and_a_slip_is_shown_in_place_of_a_bundle() {
        let (desk, request) = made_now();
        let (id, review) = desk.import(&request);
        let bob = desk.passphrase("bob");
        desk.sign(&id, &review, "alice", &["--officer", "bob", "--passphrase-file", &bob]).done();
        let mut session = spawn(&desk.station(), &request);
        answer(&mut session, "Enter: go on", "");
        answer(&mut session, "goes on from step 6", "");
        session.expect("Enter: write to ").expect("it waits");
        for reads in [&["status"][..], &["log", "show"], &["log", "head"], &["log", "verify"], &["review"]] {
            desk.run(reads).done();
        }
        assert!(desk.run(&["review"]).done().err.contains("command run): this is not noted in the log"));
        let busy =
            desk.run(&["reject", &id, "--officer", "bob", "--reason", "no", "--passphrase-file", &bob]);
        assert!(busy.ended(Exit::Failed).err.contains("another countersign works on this station"));
        session.send_line("slip").expect("typed");
        answer(&mut session, "Enter when it was read: ", "");
        let rest = session.expect(Eof).expect("it ends");
        let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        assert!(rest.contains("CS1:") && rest.contains("The slip was shown."), "{rest}");
        let shown = desk.run(&["--json", "log", "show", "--type", "slip.exported"]).done().json();
        assert_eq!(shown.as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn two_officers_at_one_real_terminal() {
        let (desk, request) = made_now();
        let mut session = spawn(&desk.station(), &request);
        answer(&mut session, "Enter: go on", "");
        answer(&mut session, "Enter: take it in", "");
        answer(&mut session, "Enter: read the review", "");
        let shown = session.expect(Regex(r"(?s)Step 3 of 6.*Enter: go on")).expect("the review");
        let shown = String::from_utf8_lossy(shown.get(0).expect("a match")).into_owned();
        let words = common::words_in(&shown);
        session.send_line("").expect("typed");
        answer(&mut session, "Enter: go on to signing", "");
        answer(&mut session, "Who opens the key?", "alice bob");
        answer(&mut session, "alice, the words at the end of the review: ", &words);
        answer(&mut session, "alice, your passphrase: ", "not her passphrase");
        answer(&mut session, "alice, your passphrase: ", &passphrase_of("alice"));
        answer(&mut session, "bob, your passphrase: ", &passphrase_of("bob"));
        answer(&mut session, "Enter: write the bundle", "");
        answer(&mut session, "Enter: write to ", "");
        let rest = session.expect(Eof).expect("it ends");
        let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        assert!(rest.contains("Write this on paper") && rest.contains(&words), "{rest}");
        for secret in ["alice", "bob"] {
            assert!(!rest.contains(&passphrase_of(secret)), "a passphrase was echoed");
        }
        let bundle = desk.path("w1-12-signed");
        desk.run(&["verify", text(&bundle)]).done();
    }

    /// A shell in a terminal that has a key opened by alice and bob and then says whether the terminal shows again
    /// what is typed. Alice's identity takes its second to open, as at a real desk.
    fn drill() -> (Desk, OsSession) {
        let desk = Desk::new();
        desk.init("acme", "acme", "1-populate");
        let alice = desk.passphrase("alice");
        desk.run(&["officer", "add", "alice", "--passphrase-file", &alice]).done();
        desk.add_officer("bob");
        let keyid = desk.import_key(&fixture("acme/targets.keys.tgz"), "alice,bob", "2");
        let mut command = Command::new("/bin/sh");
        // The pseudo-terminal comes without echo; a real one has it.
        let script = "trap : INT TERM HUP; stty echo; \"$0\" --station \"$1\" key drill \"$2\" --officer alice --officer bob; echo \"ended with $?\"; \
                      stty -a | grep -qE '(^| )echo( |$)' && echo shown again || echo still hidden";
        command.args(["-c", script, env!("CARGO_BIN_EXE_countersign"), text(&desk.station()), &keyid]);
        command.env("TERM", "xterm");
        let mut session = OsSession::spawn(command).expect("a pseudo-terminal");
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        (desk, session)
    }

    #[test]
    fn what_is_typed_ahead_is_neither_shown_nor_taken_as_a_passphrase() {
        const AHEAD: &str = "typed while nobody asked";
        let (_desk, mut session) = drill();
        // In the same breath as her passphrase, and again while her identity is being opened.
        answer(&mut session, "alice, your passphrase: ", &format!("{}\n{AHEAD}", passphrase_of("alice")));
        session.expect("opening the identity of alice").expect("it is being opened");
        session.send_line(AHEAD).expect("typed");
        let meanwhile = session.expect("bob, your passphrase: ").expect("bob is asked");
        let meanwhile = String::from_utf8_lossy(meanwhile.as_bytes()).into_owned();
        assert!(!meanwhile.contains(AHEAD), "{meanwhile}");
        session.send_line(passphrase_of("bob")).expect("typed");
        let rest = session.expect(Eof).expect("it ends");
        let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        assert!(!rest.contains(AHEAD) && !rest.contains("Once more"), "{rest}");
        assert!(rest.contains("ended with 0") && rest.contains("shown again"), "{rest}");
    }

    #[test]
    fn a_command_that_fails_after_a_passphrase_leaves_the_terminal_as_it_was() {
        let (_desk, mut session) = drill();
        answer(&mut session, "alice, your passphrase: ", &passphrase_of("alice"));
        session.expect("bob, your passphrase: ").expect("bob is asked");
        // The end of input: bob walks away.
        session.send([4u8]).expect("typed");
        let rest = session.expect(Eof).expect("it ends");
        let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        assert!(rest.contains("ended with") && !rest.contains("ended with 0"), "{rest}");
        assert!(rest.contains("shown again"), "{rest}");
    }

    #[test]
    fn a_signal_at_a_prompt_for_a_passphrase_leaves_the_terminal_as_it_was() {
        use rustix::process::{Pid, Signal, kill_process};
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let (_desk, mut session) = drill();
            session.expect("alice, your passphrase: ").expect("alice is asked");
            if signal == Signal::INT {
                session.send([3u8]).expect("typed");
            } else {
                let shell = session.get_process().pid().as_raw();
                let children = format!("/proc/{shell}/task/{shell}/children");
                let children = std::fs::read_to_string(children).expect("the shell's children");
                let program =
                    children.split_whitespace().next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
                kill_process(program.expect("the program"), signal).expect("sent");
            }
            let rest = session.expect(Eof).expect("it ends");
            let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
            let code = 128 + signal.as_raw();
            assert!(
                rest.contains(&format!("ended with {code}")) && rest.contains("shown again"),
                "{signal:?}: {rest}"
            );
            assert!(rest.contains("Nothing was signed or changed. To go on:"), "{rest}");
        }
    }
}
