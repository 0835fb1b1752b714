//! The function under the real kpt: files of a package in place, comments where they were, and a package that survives every failure.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::kustomize::{CLUSTER, SPEC, objects, piped};
use crate::program::{Folder, Ran};
use crate::tools;

const PROGRAM: &str = env!("CARGO_BIN_EXE_capv-ipam");

fn kpt(folder: &Folder, arguments: &[&str]) -> Option<Ran> {
    let kpt = tools::tool("kpt")?;
    let output = Command::new(kpt)
        .args(arguments)
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    Some(output.into())
}

fn config(spec: &str) -> String {
    format!(
        "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nmetadata:\n  name: demo\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n{spec}"
    )
}

fn package(spec: &str) -> Folder {
    let folder = Folder::new();
    folder
        .write("p/cluster.yaml", CLUSTER)
        .write("addressing.yaml", config(spec));
    folder
}

/// A Kptfile with executables as mutators and validators.
fn kptfile(mutators: &[(&str, &str)], validators: &[(&str, &str)]) -> String {
    let list = |name: &str, functions: &[(&str, &str)]| {
        let function = |(exec, config): &(&str, &str)| {
            let config = if config.is_empty() {
                String::new()
            } else {
                format!("    configPath: {config}\n")
            };
            format!("  - exec: {exec}\n{config}")
        };
        let functions: String = functions.iter().map(function).collect();
        if functions.is_empty() {
            String::new()
        } else {
            format!("  {name}:\n{functions}")
        }
    };
    format!(
        "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\npipeline:\n{}{}",
        list("mutators", mutators),
        list("validators", validators)
    )
}

fn eval(folder: &Folder) -> Option<Ran> {
    kpt(
        folder,
        &["fn", "eval", "p", "--exec", PROGRAM, "--fn-config", "addressing.yaml"],
    )
}

/// The values of all manifests of a package.
fn package_objects(folder: &Folder) -> Vec<serde_json::Value> {
    let ours = ["StaticAddressing", "Kptfile"];
    let mut text = String::new();
    let mut files: Vec<_> = std::fs::read_dir(folder.path("p"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        text.push_str("---\n");
        text.push_str(&std::fs::read_to_string(file).unwrap());
    }
    objects(&text)
        .into_iter()
        .filter(|object| !ours.contains(&object["kind"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_package_gets_the_addresses_that_the_pipe_gives() {
    let folder = package(SPEC);
    let Some(ran) = eval(&folder) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(package_objects(&folder), piped(SPEC));
    assert!(
        folder.path("p/ippool_demo-control-plane-pool.yaml").is_file(),
        "a file of its own"
    );
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(shown.matches("CI214").count(), 1, "{shown}");
    assert!(!shown.contains("Stderr:"), "{shown}");
    // A second run changes nothing.
    let before = folder.state();
    eval(&folder).unwrap();
    let bytes = |state: std::collections::BTreeMap<_, crate::program::State>| -> Vec<_> {
        state.into_iter().map(|(path, state)| (path, state.bytes)).collect()
    };
    assert_eq!(bytes(before), bytes(folder.state()));
}

/// What a function that changes nothing leaves, with the changes that ours makes by hand: the comments that kpt lets live.
#[test]
fn comments_stay_beside_their_values() {
    let folder = package(SPEC);
    let Some(ran) = eval(&folder) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    comments_are_right(&folder.read("p/cluster.yaml"));
}

fn comments_are_right(text: &str) {
    for (line, count) in [
        ("    # what the nodes get\n    files:\n", 1),
        ("    - path: /etc/motd\n", 1),
        ("    - path: /etc/issue # who\n", 1),
        ("        # the only one\n        - dhcp4: false # for now\n", 1),
        ("# the balancer", 0),
    ] {
        assert_eq!(text.matches(line).count(), count, "{line:?} in\n{text}");
    }
}

#[test]
fn comments_stay_when_another_function_follows() {
    let folder = Folder::new();
    let validate = config(&SPEC.replace("spec:\n", "spec:\n  verb: check\n"));
    folder
        .write("p/cluster.yaml", CLUSTER)
        .write("p/addressing.yaml", config(SPEC))
        .write("p/check.yaml", validate.replace("name: demo", "name: check"))
        .write(
            "p/Kptfile",
            kptfile(&[(PROGRAM, "addressing.yaml"), ("cat", "")], &[(PROGRAM, "check.yaml")]),
        );
    let Some(ran) = kpt(&folder, &["fn", "render", "p", "--allow-exec"]) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    comments_are_right(&folder.read("p/cluster.yaml"));
    assert_eq!(package_objects(&folder), piped(SPEC));
    let once = folder.read("p/cluster.yaml");
    let again = kpt(&folder, &["fn", "render", "p", "--allow-exec"]).unwrap();
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(folder.read("p/cluster.yaml"), once);
}

#[test]
fn the_pool_of_a_package_in_a_package_stays_there() {
    let folder = Folder::new();
    folder
        .write("p/site/cluster.yaml", CLUSTER)
        .write(
            "p/site/Kptfile",
            "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: site\n",
        )
        .write("p/addressing.yaml", config(SPEC))
        .write("p/Kptfile", kptfile(&[(PROGRAM, "addressing.yaml")], &[]));
    let Some(ran) = kpt(&folder, &["fn", "render", "p", "--allow-exec"]) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(folder.path("p/site/ippool_demo-control-plane-pool.yaml").is_file());
}

#[test]
fn the_plan_is_a_file_of_the_package() {
    let folder = package(&SPEC.replace("spec:\n", "spec:\n  verb: plan\n"));
    let Some(ran) = eval(&folder) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let plan = folder.read("p/demo-address-plan.yaml");
    assert!(
        plan.contains("\n  plan.yaml: |\n    apiVersion: capv-ipam.dev/v1alpha1\n"),
        "{plan}"
    );
    assert!(plan.contains("address: 192.0.2.10\n"), "{plan}");
    // A change of the addresses shows as a change of lines.
    folder.write(
        "addressing.yaml",
        config(&SPEC.replace("spec:\n", "spec:\n  verb: plan\n").replace(".10-", ".11-")),
    );
    eval(&folder).unwrap();
    let changed = folder.read("p/demo-address-plan.yaml");
    let other = changed.lines().filter(|line| !plan.contains(*line)).count();
    assert!(
        other > 0 && other < 12 && changed.contains("address: 192.0.2.11\n"),
        "{changed}"
    );
}

fn unchanged(folder: &Folder, run: impl Fn(&Folder) -> Option<Ran>) -> Option<Ran> {
    let before = folder.state();
    let ran = run(folder)?;
    assert_ne!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(before, folder.state());
    Some(ran)
}

#[test]
fn an_error_leaves_the_package_and_its_first_lines_suffice() {
    let folder = package(&SPEC.replace("192.0.2.10-192.0.2.14", "192.0.2.5-192.0.2.14"));
    let Some(ran) = unchanged(&folder, eval) else { return };
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        shown.contains("[error] infrastructure.cluster.x-k8s.io/v1beta1/VSphereCluster"),
        "{shown}"
    );
    assert!(
        shown.contains("CI303") && shown.contains("(cluster.yaml, document 2, line "),
        "{shown}"
    );
    assert!(shown.contains("capv-ipam: 1 error"), "{shown}");
    // More findings than kpt shows: what it shows are errors.
    let many: String = (0..8).map(|number| format!("  - {{machines: [KubeadmControlPlane/no-{number}], name: p{number}, addresses: [192.0.2.{}], prefix: 24}}\n", 40 + number)).collect();
    let folder = package(&format!("spec:\n  pools:\n{many}"));
    let ran = unchanged(&folder, eval).unwrap();
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(shown.matches("[error]").count(), 4, "{shown}");
    assert!(shown.contains("capv-ipam: 8 errors"), "{shown}");
}

/// A function that dies while it writes: whatever reaches kpt is no whole list, or the exit code says so.
#[test]
fn a_function_that_is_killed_while_it_writes_leaves_the_package() {
    let folder = package(SPEC);
    let wrapper = |name: &str, text: &str| {
        folder.write(name, format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(folder.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    wrapper("killed", &format!("{PROGRAM} | head -c 2000\nkill -9 $$"));
    wrapper("empty", &format!("{PROGRAM} >/dev/full"));
    for name in ["./killed", "./empty"] {
        let ran = unchanged(&folder, |folder| {
            kpt(
                folder,
                &["fn", "eval", "p", "--exec", name, "--fn-config", "addressing.yaml"],
            )
        });
        if ran.is_none() {
            return;
        }
    }
}

#[test]
fn a_selection_of_the_package_is_judged_as_such() {
    let folder = package(SPEC);
    let selected = |folder: &Folder| {
        kpt(
            folder,
            &[
                "fn",
                "eval",
                "p",
                "--exec",
                PROGRAM,
                "--fn-config",
                "addressing.yaml",
                "--match-kind",
                "KubeadmControlPlane",
            ],
        )
    };
    unchanged(&folder, selected);
}

#[test]
fn source_and_sink() {
    let folder = package(SPEC);
    let Some(source) = kpt(&folder, &["fn", "source", "p", "--fn-config", "addressing.yaml"]) else {
        return;
    };
    let answer = folder.pipe(&["fn"], &source.stdout);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(
        answer.stderr.contains("warning"),
        "nobody else shows it: {}",
        answer.stderr
    );
    let mut sink = Command::new(tools::tool("kpt").unwrap());
    sink.args(["fn", "sink", "out"]).current_dir(folder.path(""));
    let sunk = crate::program::feed(sink, answer.stdout.as_bytes());
    assert_eq!(sunk.code, 0, "{}", sunk.stderr);
    assert!(folder.path("out/ippool_demo-control-plane-pool.yaml").is_file());
}

#[test]
fn arguments_of_kpt_are_the_flags() {
    let folder = package(SPEC);
    let arguments = [
        "fn",
        "eval",
        "p",
        "--exec",
        PROGRAM,
        "--",
        "machines=control-plane",
        "addresses=192.0.2.10-192.0.2.14",
        "prefix=24",
        "gateway=192.0.2.1",
        "kube-vip=remove",
    ];
    let Some(ran) = kpt(&folder, &arguments) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(package_objects(&folder), piped(SPEC));
}

/// What the example package becomes, as a catalog of functions keeps it: the difference and the results.
#[test]
fn the_example_package_gives_what_it_says() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kpt");
    let folder = Folder::new();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(folder.path("p"))
            .env("PATH", tools::path());
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let Some(kpt) = tools::tool("kpt") else { return };
    std::fs::create_dir(folder.path("p")).unwrap();
    run("cp", &["-r", &format!("{}/.", example.display()), "."]);
    run("git", &["init", "-q", "."]);
    run("git", &["add", "-A"]);
    run(
        "git",
        &[
            "-c",
            "user.email=t@example.com",
            "-c",
            "user.name=t",
            "commit",
            "-qm",
            "before",
        ],
    );
    run(
        kpt.to_str().unwrap(),
        &["fn", "render", ".", "--allow-exec", "--results-dir", "../results"],
    );
    run("git", &["add", "-A"]);
    let found = [
        ("diff.patch", run("git", &["-c", "core.abbrev=7", "diff", "--cached"])),
        ("results.yaml", folder.read("results/results.yaml")),
    ];
    for (name, found) in found {
        let path = example.join(".expected").join(name);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            found,
            expected,
            "UPDATE_FIXTURES=1 cargo test --test krm the_example writes {}",
            path.display()
        );
    }
}
