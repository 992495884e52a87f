//! A Factory's service, a station and a courier, each a process of its own.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub fn ended(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn done(self) -> Ran {
        self.ended(0)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }

    /// Is this said somewhere?
    #[track_caller]
    pub fn says(self, words: &str) -> Ran {
        let all = format!("{}{}", self.out, self.err);
        assert!(all.contains(words), "no \"{words}\" in: {all}");
        self
    }
}

/// The stand-in, stopped when it is dropped.
pub struct Service {
    child: Child,
    pub url: String,
    pub state: PathBuf,
    tls: bool,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Starts it with its state in a folder; the clock begins now and stands until it is moved.
    pub fn start(state: &Path, more: &[&str]) -> Service {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/courier/factory_api.py");
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut child = Command::new("python3")
            .arg(script)
            .args(["--state", text(state), "--clock", &now])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut url = String::new();
        for line in lines.by_ref().map(|line| line.expect("a line")) {
            if let Some(found) = line.strip_prefix("URL=") {
                url = found.to_owned();
            }
            if line.starts_with("TRAP=") {
                break;
            }
        }
        assert!(!url.is_empty(), "the stand-in did not start");
        Service { child, tls: url.starts_with("https"), url, state: state.to_owned() }
    }

    fn agent(&self) -> ureq::Agent {
        assert!(!self.tls, "the control of the stand-in is asked without TLS");
        ureq::Agent::config_builder().proxy(None).build().new_agent()
    }

    pub fn control(&self, what: &str, body: &Value) {
        let mut answer = self
            .agent()
            .post(format!("{}/_control/{what}", self.url))
            .send(body.to_string().as_bytes())
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        answer.body_mut().read_to_vec().expect("read");
    }

    /// A call of the service's own, as fioctl makes it.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let call = self.agent().post(format!("{}{path}", self.url)).header("OSF-TOKEN", "full");
        let mut answer = call.send(body.to_string().as_bytes()).unwrap_or_else(|e| panic!("{path}: {e}"));
        serde_json::from_slice(&answer.body_mut().read_to_vec().expect("read")).expect("JSON")
    }

    pub fn look(&self, what: &str) -> Value {
        let mut answer = self.agent().get(format!("{}/_control/{what}", self.url)).call().expect("answered");
        serde_json::from_slice(&answer.body_mut().read_to_vec().expect("read")).expect("JSON")
    }

    pub fn fault(&self, fault: &str) {
        self.control("fault", &json!({ "fault": fault }));
    }

    pub fn no_more_faults(&self) {
        self.agent().delete(format!("{}/_control/faults", self.url)).call().expect("answered");
    }

    pub fn tick(&self, minutes: u64) {
        self.control("tick", &json!({ "minutes": minutes }));
    }

    /// The state of a wave, or null.
    pub fn wave(&self, factory: &str, wave: &str) -> Value {
        self.look("state")[factory]["waves"][wave].clone()
    }

    /// How many calls of a method had a path that ends so.
    pub fn calls(&self, method: &str, end: &str) -> usize {
        let log = self.look("log");
        let is_one = |call: &&Value| {
            call["method"] == method && call["path"].as_str().is_some_and(|path| path.ends_with(end))
        };
        log.as_array().expect("a list").iter().filter(is_one).count()
    }

    /// Nothing was brought to the host that redirects lead to.
    #[track_caller]
    pub fn nothing_leaked(&self) {
        assert_eq!(self.look("trap"), json!([]), "a redirect was followed");
    }
}

/// A folder of the test's own, with a token in it.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        use std::os::unix::fs::PermissionsExt as _;
        let place = Place { folder: tempfile::tempdir().expect("a folder") };
        for token in ["full", "read"] {
            std::fs::write(place.path(token), format!("{token}\n")).expect("written");
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(place.path(token), mode).expect("set");
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        text(&self.path(name)).to_owned()
    }

    /// A program in a clean environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// The courier, before its arguments.
    pub fn courier_command(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_countersign-courier"))
    }

    /// Runs the courier against a service, with the token that may write.
    pub fn courier<S: AsRef<str>>(&self, service: &Service, arguments: &[S]) -> Ran {
        self.courier_as(service, "full", arguments)
    }

    pub fn courier_as<S: AsRef<str>>(&self, service: &Service, token: &str, arguments: &[S]) -> Ran {
        let mut command = self.courier_command();
        command.args(["--server", &service.url, "--factory", "acme", "--token-file", &self.text(token)]);
        command.args(["--timeout", "3"]).args(arguments.iter().map(AsRef::as_ref));
        Ran::of(command.output().expect("it runs"))
    }

    pub fn run(&self, mut command: Command) -> Ran {
        Ran::of(command.output().expect("it runs"))
    }

    /// Runs `countersign` on a station.
    pub fn station<S: AsRef<str>>(&self, station: &str, arguments: &[S]) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_countersign"));
        command.args(["--station", &self.text(station)]).args(arguments.iter().map(AsRef::as_ref));
        Ran::of(command.output().expect("it runs"))
    }

    /// A certificate authority, and a server's certificate for a name, made for this test.
    pub fn certificates(&self, name: &str) {
        let run = |arguments: &[&str]| {
            let output = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output();
            let output = output.expect("openssl runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        run(&[
            &["req", "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test"],
            &key[..],
        ]
        .concat());
        run(&[&["req", "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=127.0.0.1"], &key[..]].concat());
        std::fs::write(self.path("ext"), format!("subjectAltName={name}\n")).expect("written");
        let sign = [
            "x509", "-req", "-in", "tls.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "tls.pem",
            "-days", "2",
        ];
        run(&[&sign[..], &["-CAcreateserial", "-extfile", "ext"]].concat());
    }

    /// A station with two officers and a key that both must open.
    pub fn make_station(&self, service: &Service, station: &str, keys: &str) {
        let downloads = self.text(&format!("{station}-first"));
        let fetched = self.courier(service, &["--json", "fetch", "--out", &downloads]).done().json();
        let fingerprint = fetched["root_fingerprint"].as_str().expect("a fingerprint");
        let (roots, online) = (format!("{downloads}/prod-roots"), format!("{downloads}/ci-targets.pub"));
        let pinned =
            ["--roots", &roots, "--online-key", &online, "--fingerprint", fingerprint, "--networked"];
        self.station(station, &[&["init", "--factory", "acme"], &pinned[..]].concat()).done();
        for officer in ["ann", "bob"] {
            let words = format!("{officer} walks eleven quiet harbours\n");
            std::fs::write(self.path(officer), words).expect("written");
            let passphrase = format!("{officer}={}", self.text(officer));
            let add = ["officer", "add", officer, "--passphrase-file", &passphrase, "--work-factor", "12"];
            self.station(station, &add).done();
        }
        let keys = service.state.join(keys);
        self.station(station, &["key", "import", text(&keys), "--officers", "ann,bob", "--quorum", "2"])
            .done();
    }

    /// The ceremony: takes a request in, signs it with both officers, and returns the bundle's folder.
    pub fn ceremony(&self, station: &str, request: &str) -> String {
        self.ceremony_with(station, request, &[])
    }

    /// As [`Place::ceremony`], with more arguments for `sign`.
    pub fn ceremony_with(&self, station: &str, request: &str, more: &[&str]) -> String {
        let imported = self.station(station, &["--json", "import", &self.text(request)]).done().json();
        let id = imported["request"].as_str().expect("a digest");
        let review = self.station(station, &["--json", "review", id]).json();
        let words = review["confirm"].as_str().unwrap_or_else(|| panic!("no words: {review}"));
        let [ann, bob] = ["ann", "bob"].map(|officer| format!("{officer}={}", self.text(officer)));
        let officers =
            ["--officer", "ann", "--officer", "bob", "--passphrase-file", &ann, "--passphrase-file", &bob];
        self.station(station, &[&["sign", id, "--confirm", words], &officers[..], more].concat()).done();
        let bundle = self.text(&format!("{station}-{request}-signed"));
        self.station(station, &["export", id, &bundle]).done();
        bundle
    }

    /// A request by the courier.
    pub fn request(&self, service: &Service, wave: &str, version: u64, more: &[&str]) -> String {
        let (name, version) = (format!("request-{wave}"), version.to_string());
        let out = self.text(&name);
        let what = ["request", "--wave", wave, "--version", &version, "--tag", "production", "--out", &out];
        self.courier(service, &[&what[..], more].concat()).done();
        name
    }

    /// Makes a key on the station, and has root officers stage it. Returns its id.
    pub fn staged_key(&self, service: &Service, beside: bool) -> String {
        let out = self.text("new-key");
        let sealed = ["--officers", "ann,bob", "--quorum", "2", "--out", &out];
        let generate = [&["--json", "key", "generate", "--type", "ed25519"], &sealed[..]].concat();
        let generated = self.station("station", &generate).done().json();
        let keyid = generated["keyid"].as_str().expect("an id").to_owned();
        let public = std::fs::read(self.path(&format!("new-key/fioctl-targets-{keyid}.pub"))).expect("a key");
        let public: Value = serde_json::from_slice(&public).expect("JSON");
        service.control("stage", &json!({ "factory": "acme", "key": public, "beside": beside }));
        keyid
    }

    /// Production's targets signed again, by a key that the staged root lists: the bundle's folder.
    pub fn sign_again(&self, service: &Service, keyid: &str) -> String {
        let out = self.text("resign");
        let asked = self.courier(service, &["request", "--resign", "--tag", "production", "--out", &out]);
        asked.done().says("is staged and not yet applied");
        self.ceremony_with("station", "resign", &["--key", keyid])
    }

    /// Request, ceremony, submit: the wave is active then.
    pub fn release(&self, service: &Service, wave: &str, version: u64) -> String {
        let request = self.request(service, wave, version, &[]);
        let bundle = self.ceremony("station", &request);
        self.courier(service, &["submit", &bundle]).done();
        bundle
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Copies a folder of files.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// Does the work for each of many, some at a time.
pub fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    const AT_A_TIME: usize = 6;
    for some in all.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|one| scope.spawn(|| work(one))).collect();
            for thread in running {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }
}
