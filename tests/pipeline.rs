//! Files for pipelines: the GitHub action, the pre-commit hooks, the example repository, the Debian package. Each is held
//! against its host's schema, and the dmscope commands in it are run.
//!
//! Needs check-jsonschema and pre-commit, which `.ci/run` puts below `target/peers`, bash and git.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod peers;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const EXAMPLE: &str = "docs/examples/ci";

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap()
}

/// A YAML file as JSON; `None` where the parser is not installed.
fn yaml(path: &str) -> Option<Value> {
    const CONVERT: &str =
        "import json, sys; from ruamel.yaml import YAML; print(json.dumps(YAML(typ='safe').load(sys.stdin)))";
    let python = peers::installed("checks/bin/python3")?;
    let input = fs::File::open(root(path)).unwrap();
    let output = Command::new(python).args(["-c", CONVERT]).stdin(input).stderr(Stdio::inherit()).output().unwrap();
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A copy of the example repository, with a `.git` that ends the search for configuration.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&root(EXAMPLE), folder.path());
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

/// A script in the shell of a runner, with the program in its path.
fn bash(folder: &Path, script: &str, variables: &[(&str, &str)]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_dmscope")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(folder).env("PATH", path);
    command.envs(variables.iter().copied()).env_remove("DMSCOPE_CONFIG").env_remove("SSLKEYLOGFILE").output().unwrap()
}

#[test]
fn files_are_as_their_hosts_want_them() {
    let workflow = format!("{EXAMPLE}/.github/workflows/dmscope.yml");
    let gitlab = format!("{EXAMPLE}/.gitlab-ci.yml");
    let files = [
        ("vendor.github-actions", "action.yml"),
        ("vendor.github-workflows", workflow.as_str()),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.gitlab-ci", gitlab.as_str()),
    ];
    for (schema, file) in files {
        peers::validate(&["--builtin-schema", schema], &root(file));
    }
    let Some(program) = peers::installed("checks/bin/pre-commit") else { return };
    let checked = Command::new(program).arg("validate-manifest").arg(root(".pre-commit-hooks.yaml")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// What a runner makes of the action's last step, with these inputs beside the defaults.
fn act(folder: &Path, inputs: &[(&str, &str)]) -> Option<(Output, String, String)> {
    if !peers::are_here(&["jq"]) {
        return None;
    }
    let action = yaml("action.yml")?;
    let step = array(&action["runs"]["steps"]).last().unwrap();
    let value = |name: &str| {
        let given = inputs.iter().find(|(input, _)| *input == name).map(|(_, value)| *value);
        given.unwrap_or_else(|| text(&action["inputs"][name]["default"])).to_owned()
    };
    let input =
        |value: &Value| text(value).strip_prefix("${{ inputs.").unwrap().strip_suffix(" }}").unwrap().to_owned();
    let mut variables = vec![("RUNNER_TEMP".to_owned(), folder.display().to_string())];
    for file in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        variables.push((file.to_owned(), folder.join(file).display().to_string()));
    }
    let given = step["env"].as_object().unwrap().iter().map(|(name, from)| (name.clone(), value(&input(from))));
    variables.extend(given);
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let script = text(&step["run"]);
    assert!(!script.contains("${{"), "an input would be part of the script");
    let output = bash(folder, script, &variables);
    let left = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
    Some((output, left("GITHUB_OUTPUT"), left("GITHUB_STEP_SUMMARY")))
}

#[test]
fn the_action_annotates_summarizes_and_fails() {
    let folder = example();
    let Some((output, outputs, summary)) = act(folder.path(), &[("paths", "recordings\n")]) else { return };
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("::error file=recordings/sync.pcap,title=ACME-001"), "{printed}");
    assert!(!printed.contains("DM-MSG-003"), "it is in the baseline: {printed}");
    assert!(summary.starts_with("## dmscope\n"), "{summary}");
    let sarif = outputs.lines().find_map(|line| line.strip_prefix("sarif=")).unwrap();
    assert!(outputs.contains("exit-code=1\n"), "{outputs}");
    let log: Value = serde_json::from_str(&fs::read_to_string(folder.path().join(sarif)).unwrap()).unwrap();
    let uploaded: Vec<&str> = array(&log["runs"][0]["results"]).iter().map(|result| text(&result["ruleId"])).collect();
    assert_eq!(uploaded, ["ACME-001"]);
}

#[test]
fn a_build_is_named_by_the_source() {
    let Some(action) = yaml("action.yml") else { return };
    let script = text(&action["runs"]["steps"][0]["run"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("output");
    let path = folder.path().join("path");
    let variables = [
        ("SOURCE", ROOT),
        ("GITHUB_OUTPUT", file.to_str().unwrap()),
        ("GITHUB_PATH", path.to_str().unwrap()),
        ("RUNNER_TEMP", "/runner"),
    ];
    let output = bash(folder.path(), script, &variables);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sum = fs::read_to_string(file).unwrap();
    assert!(sum.starts_with("sum=") && sum.trim().len() == "sum=".len() + 64, "{sum}");
    assert_eq!(fs::read_to_string(path).unwrap(), "/runner/dmscope/bin\n");
}

#[test]
fn inputs_of_the_action_are_arguments() {
    let cases = [
        (vec![("fail-on", "never")], 0),
        (vec![("arguments", "--ignore\nACME-001\n")], 0),
        (vec![("paths", "recordings/none.pcap; true")], 2),
        (vec![("paths", "rules")], 3),
    ];
    for (inputs, exit) in cases {
        let folder = example();
        let Some((output, outputs, _)) = act(folder.path(), &inputs) else { return };
        assert_eq!(output.status.code(), Some(exit), "{inputs:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(outputs.contains(&format!("exit-code={exit}\n")), "{outputs}");
    }
}

/// macOS has bash 3.2, which knows neither `mapfile` nor `sha256sum`; what later steps are told is a path in the workspace.
#[test]
fn the_action_is_for_every_runner() {
    let script = read("action.yml");
    let newer = ["mapfile", "readarray", "sha256sum", "declare -A", ",,}", "^^}"];
    assert!(newer.iter().all(|word| !script.contains(word)));
    let elsewhere = tempfile::tempdir().unwrap();
    let absolute = elsewhere.path().join("a.sarif").display().to_string();
    for (folder, sarif, told) in
        [(".", "a.sarif", "a.sarif"), ("server", "a.sarif", "server/a.sarif"), ("server", &*absolute, &*absolute)]
    {
        let example = example();
        let arguments =
            [("working-directory", folder), ("sarif", sarif), ("arguments", "--allow-empty"), ("paths", "rules")];
        let Some((_, outputs, _)) = act(example.path(), &arguments) else { return };
        assert!(outputs.contains(&format!("sarif={told}\n")), "{outputs}");
    }
}

#[test]
fn commands_of_the_example_run_and_leave_their_files() {
    let gitlab = read(&format!("{EXAMPLE}/.gitlab-ci.yml"));
    let jenkins = read(&format!("{EXAMPLE}/Jenkinsfile"));
    let of_gitlab = gitlab.lines().filter_map(|line| line.trim().strip_prefix("- dmscope "));
    let of_jenkins = jenkins.lines().filter_map(|line| line.trim().strip_prefix("sh 'dmscope ")?.strip_suffix('\''));
    let commands: Vec<&str> = of_gitlab.chain(of_jenkins).collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let folder = example();
        let output = bash(folder.path(), &format!("dmscope {command}"), &[]);
        assert_eq!(output.status.code(), Some(1), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8(output.stdout).unwrap().contains("error[ACME-001]"));
        let files = command.split(' ').filter_map(|word| word.split_once('=')).map(|(_, file)| file);
        for file in files {
            assert!(fs::metadata(folder.path().join(file)).unwrap().len() > 0, "{file}");
            assert!(
                gitlab.contains(&format!(": {file}")) || jenkins.contains(&format!("'{file}'")),
                "{file} is for nobody"
            );
        }
    }
}

#[test]
fn the_baseline_of_the_example_is_what_its_command_makes() {
    let page = read("docs/ci.md");
    let command = page.lines().find(|line| line.ends_with("--update-baseline recordings")).unwrap();
    let folder = example();
    let kept = fs::read_to_string(folder.path().join("dmscope-baseline.toml")).unwrap();
    // As on the first day: no configuration, no rule, no baseline.
    for file in ["dmscope.toml", "dmscope-baseline.toml"] {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    let output = bash(folder.path(), command, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(folder.path().join("dmscope-baseline.toml")).unwrap(), kept);
    let gate = bash(folder.path(), "dmscope lint --baseline dmscope-baseline.toml --fail-on info recordings", &[]);
    assert_eq!(gate.status.code(), Some(0));
}

#[test]
fn a_rule_that_a_report_names_can_be_explained() {
    let folder = example();
    for (command, said) in
        [("explain ACME-001", "ACME-001 firewall-stays-on\n"), ("rules", "The server turns a firewall off")]
    {
        let output = bash(folder.path(), &format!("dmscope {command}"), &[]);
        assert!(String::from_utf8(output.stdout).unwrap().contains(said), "{command}");
    }
}

#[test]
fn the_workflow_of_the_example_knows_the_action() {
    let Some((action, workflow)) = yaml("action.yml").zip(yaml(&format!("{EXAMPLE}/.github/workflows/dmscope.yml")))
    else {
        return;
    };
    let steps = array(&workflow["jobs"]["dmscope"]["steps"]);
    let own = steps.iter().find(|step| text(&step["uses"]).contains("/dmscope@")).unwrap();
    for input in own["with"].as_object().unwrap().keys() {
        assert!(action["inputs"][input].is_object(), "{input}");
    }
    let asked = format!("${{{{ steps.{}.outputs.sarif }}}}", text(&own["id"]));
    assert!(action["outputs"]["sarif"].is_object() && steps.iter().any(|step| step["with"]["sarif_file"] == asked));
}

#[test]
fn the_page_shows_the_example() {
    let page = read("docs/ci.md");
    let body = |file: &str| read(&format!("{EXAMPLE}/{file}"));
    assert!(page.contains(&body(".gitlab-ci.yml")));
    let command =
        body("Jenkinsfile").lines().find_map(|line| line.trim().strip_prefix("sh ").map(str::to_owned)).unwrap();
    assert!(page.contains(&format!("sh {command}")));
    let config = body("dmscope.toml");
    assert!(page.contains(config.split_once('\n').unwrap().1));
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=lab", "-c", "user.email=lab@example.test"]).args(arguments);
    assert!(command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap().status.success(), "{arguments:?}");
}

#[test]
fn the_hook_stops_a_commit_with_findings() {
    if !peers::are_here(&["git"]) {
        return;
    }
    let Some(program) = peers::installed("checks/bin/pre-commit") else { return };
    let (hooks, repository) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::copy(root(".pre-commit-hooks.yaml"), hooks.path().join(".pre-commit-hooks.yaml")).unwrap();
    for recording in ["atomic-rolled-back.pcap", "alert-unanswered.pcap"] {
        fs::copy(root("samples").join(recording), repository.path().join(recording)).unwrap();
    }
    for folder in [hooks.path(), repository.path()] {
        git(folder, &["init", "-q"]);
        git(folder, &["add", "."]);
        git(folder, &["commit", "-qm", "first"]);
    }
    let run = |file: &str| {
        let words = ["try-repo", hooks.path().to_str().unwrap(), "dmscope-system", "--files", file];
        let script = format!("'{}' {}", program.display(), words.join(" "));
        let output =
            bash(repository.path(), &script, &[("PRE_COMMIT_HOME", hooks.path().join("home").to_str().unwrap())]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (passed, printed) = run("atomic-rolled-back.pcap");
    assert_eq!(passed, Some(0), "{printed}");
    assert!(printed.contains("Passed"), "{printed}");
    let (failed, printed) = run("alert-unanswered.pcap");
    assert_eq!(failed, Some(1), "{printed}");
    assert!(printed.contains("error DM-STA-003"), "{printed}");
}

#[test]
fn the_debian_package_has_what_its_script_makes() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let script = read(".ci/deb");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("target/assets")).unwrap();
    let commands: Vec<&str> = script.lines().filter(|line| line.starts_with("dmscope ")).collect();
    assert!(bash(folder.path(), &commands.join("\n"), &[]).status.success());
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        match source {
            "target/release/dmscope" => assert_eq!(asset[1].as_str(), Some("usr/bin/")),
            made if made.starts_with("target/") => {
                assert!(fs::metadata(folder.path().join(made)).unwrap().len() > 1000, "{made}");
            }
            kept => assert!(root(kept).is_file(), "{kept}"),
        }
    }
    assert_eq!(commands.len(), assets.iter().filter(|asset| asset[0].as_str().unwrap().contains("/assets/")).count());
}
