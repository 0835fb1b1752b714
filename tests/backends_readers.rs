//! Gives every format to its real reader, for plans of many shapes, and checks that the reader refuses a file with one fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]
#![cfg(feature = "cli")]

#[path = "backends/as3.rs"]
mod as3;
#[path = "support/big_ip.rs"]
mod big_ip;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/tools.rs"]
mod tools;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use capv_ipam::addressing::Format;
use capv_ipam::backends::MemberList;
use plans::{cluster, members, on_loopback, plan, rendered, whole, with_workers};
use serde_json::{Value, json};
use tools::{judge, missing, on_path, tool};

/// A shape of plan with the keys of `backends`.
struct Case {
    name: &'static str,
    list: MemberList,
    /// An earlier list of the same clusters.
    old: MemberList,
}

const DUAL_ROUTE_DOMAIN: &str = "route domain";

/// Plans of many shapes. VIPs of one family and port are loopback addresses, which every host holds.
fn cases() -> Vec<Case> {
    let replicas = ["15.235.38.172", "15.235.38.173", "15.235.38.174"];
    let six = ["2001:db8:38::172", "2001:db8:38::173", "2001:db8:38::174"];
    let hundred: Vec<String> = (1..=100).map(|last| format!("10.9.1.{last}")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    let four = || {
        with_workers(
            cluster("dkp-demo", "198.18.0.41", &replicas, &["15.235.38.175"]),
            &["15.235.38.166"],
        )
    };
    let six = || {
        with_workers(
            cluster("dkp-demo6", "2001:db8:38::180", &six, &["2001:db8:38::175"]),
            &["2001:db8:38::166"],
        )
    };
    let long = "a-very-long-name-of-a-cluster".repeat(8);
    let odd = || {
        plan(&[
            cluster("1dkp.prod-eu", "198.18.0.42", &["10.0.0.1"], &[]),
            cluster("null", "198.18.0.43", &["10.0.0.2"], &["10.0.0.3"]),
            cluster("true", "198.18.0.44", &["10.0.0.4"], &[]),
            cluster(&long, "198.18.0.45", &["10.0.0.5"], &[]),
            cluster("0x1f", "198.18.0.46", &["10.0.0.6"], &[]),
        ])
    };
    let moved = |mut plan: Value| {
        let first = &mut plan["clusters"][0];
        let six = first["endpoint"]["host"].as_str().unwrap().contains(':');
        let other = if six { "2001:db8:38::199" } else { "10.99.0.1" };
        first["groups"][0]["slots"][0]["nics"][0]["address"] = json!(other);
        first["groups"][0]["addresses"][0] = json!(other);
        plan
    };
    let both = || plan(&[four(), six()]);
    let ingress = json!({"services": [
        {"name": "ingress", "groups": ["workers"], "port": 8443, "monitor": "https:/healthz"},
        {"name": "plain", "groups": ["all"], "port": 8080, "monitor": "http:/"},
        {"name": "konnectivity", "groups": ["control-plane"], "port": 8132},
    ]});
    let mut front = plan(&[four()]);
    front["clusters"][0]["endpoint"]["port"] = json!(4443);
    let shapes: Vec<(&'static str, Value, Value)> = vec![
        ("both families", both(), json!({})),
        (DUAL_ROUTE_DOMAIN, both(), json!({"routeDomain": 7})),
        ("route domain of one family", plan(&[four()]), json!({"routeDomain": 7})),
        ("partition", both(), json!({"partition": "K8S_prod.eu"})),
        ("odd names", odd(), json!({})),
        (
            "one member",
            plan(&[cluster("one", "198.18.0.47", &["10.0.0.1"], &[])]),
            json!({}),
        ),
        (
            "a hundred members",
            plan(&[cluster("big", "198.18.0.48", &hundred, &[])]),
            json!({}),
        ),
        ("services", both(), ingress),
        ("any answer", both(), json!({"monitor": "readyz-any-auth"})),
        ("tcp", both(), json!({"monitor": "tcp"})),
        ("named nodes", both(), json!({"nodeName": "{cluster}-{slot}"})),
        (
            "named nodes in a route domain",
            both(),
            json!({"nodeName": "n-{address}", "routeDomain": 7}),
        ),
        ("another port in front", front, json!({"port": 6444})),
    ];
    shapes
        .into_iter()
        .map(|(name, plan, backends)| Case {
            name,
            list: on_loopback(members(&plan, &backends)),
            old: on_loopback(members(&moved(plan), &backends)),
        })
        .collect()
}

/// Writes every case in a format and gives each file to a check.
fn each(format: Format, ending: &str, changes: bool, check: impl Fn(&Path) -> Result<(), String>) {
    let (_folder, files) = written(format, ending, changes);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        check(&file).unwrap_or_else(|why| panic!("{}: {why}\n{text}", file.display()));
    }
}

/// Every case in a format, each in a file.
fn written(format: Format, ending: &str, changes: bool) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for case in cases() {
        if !fits(&case, format) {
            continue;
        }
        let mut texts = vec![("whole", whole(&case.list, format))];
        if changes {
            texts.extend([
                ("rollback", rendered(&case.list, format, None, true)),
                ("change", rendered(&case.list, format, Some(&case.old), false)),
                ("way-back", rendered(&case.list, format, Some(&case.old), true)),
            ]);
        }
        for (form, text) in texts {
            assert!(!text.is_empty(), "{}, {form}", case.name);
            let name = case.name.replace(' ', "-");
            files.push(folder.path().join(format!("{name}.{form}.{ending}")));
            std::fs::write(&files[files.len() - 1], &text).unwrap();
        }
    }
    (folder, files)
}

/// The Ansible modules cannot name IPv6 members in a route domain; `backends_limits` sees the refusal.
fn fits(case: &Case, format: Format) -> bool {
    format != Format::F5Ansible || case.name != DUAL_ROUTE_DOMAIN
}

/// The arguments that give a script all files at once.
fn all_at_once(script: &str, files: &[PathBuf]) -> Vec<String> {
    let files = files.iter().map(|file| file.to_string_lossy().into_owned());
    std::iter::once(script.to_owned()).chain(files).collect()
}

/// Files with one fault each: made from a right one here, and those that lie beside the repository.
fn refuses(format: Format, ending: &str, faults: &[(&str, &str)], check: impl Fn(&Path) -> Result<(), String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("backends.{ending}"));
    let right = whole(&cases()[0].list, format);
    for (part, fault) in faults {
        let wrong = right.replacen(part, fault, 1);
        assert_ne!(right, wrong, "{part}");
        std::fs::write(&file, &wrong).unwrap();
        assert!(check(&file).is_err(), "{} accepts {fault}", format.name());
    }
    let given = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/examples/f5/invalid");
    if !given.is_dir() {
        return missing("the wrong examples of each format are not at hand");
    }
    for entry in std::fs::read_dir(given).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(&format!(".{ending}")) {
            assert!(check(&path).is_err(), "{} is accepted", path.display());
        }
    }
}

fn says((good, text): (bool, String)) -> Result<(), String> {
    if good { Ok(()) } else { Err(text) }
}

fn own(name: &str) -> String {
    format!("{}/tests/backends/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn tmsh_is_tcl_and_known_commands() {
    let Some(tclsh) = tool("tclsh") else { return };
    let script = own("tmsh.tcl");
    let tcl = |file: &Path| says(judge(&tclsh, &all_at_once(&script, &[file.to_owned()])));
    let known = |file: &Path| -> Result<(), String> {
        tcl(file)?;
        // A change begins where its earlier list left the device, so only whole lists run from nothing.
        let text = std::fs::read_to_string(file).unwrap();
        if !text.starts_with("create ltm monitor") && !text.starts_with("create ltm node") {
            return text.lines().try_for_each(|line| big_ip::words(line).map(drop));
        }
        if text.contains("members replace-all-with") {
            return big_ip::BigIp::default().tmsh(&text).map(drop);
        }
        text.lines().try_for_each(|line| big_ip::words(line).map(drop))
    };
    each(Format::F5Tmsh, "tmsh", true, known);
    let faults = [
        ("state user-up }", "state user-up"),
        ("description \"", "description "),
        ("session user-enabled", "session enabled"),
        ("recv \"HTTP/1.1 200\"", "recv \"ok\""),
        ("persist none ", ""),
        (
            "load-balancing-mode least-connections-member",
            "load-balancing-mode least-connections-members",
        ),
    ];
    refuses(Format::F5Tmsh, "tmsh", &faults, known);
}

#[test]
fn as3_fits_the_schema() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/schemas/as3-schema-3.56.0.json");
    if !file.is_file() {
        return missing("F5's schema of AS3 is not at hand");
    }
    let schema = as3::Schema::read(&file);
    let check = |file: &Path| -> Result<(), String> {
        let declaration =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).map_err(|error| format!("{error}"))?;
        let problems = schema.problems(&declaration);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("\n"))
        }
    };
    each(Format::F5As3, "as3.json", true, check);
    let faults = [
        ("\"15.235.38.172\"", "\"15.235.38.999\""),
        ("\"127.0.0.41\"", "\"fe80::1%eth0\""),
        ("\"servicePort\": 6443", "\"servicePort\": \"6443\""),
        ("\"adminState\": \"enable\"", "\"adminState\": \"disabled\""),
        ("serverAddresses", "serverAddress"),
        (
            "\"remark\": \"",
            "\"remark\": \"a remark that is longer than the sixty-four characters that are allowed ",
        ),
        ("\"dkp_demo\": {", "\"1dkp\": {"),
        ("\"serviceDownAction\"", "\"serviceDownAct\""),
        ("least-connections-member", "least-connections-members"),
        ("\"3.17.0\"", "\"3.57.0\""),
        ("\"id\": \"", "\"id\": \"a "),
        ("\"adminState\"", "\"adminStat\""),
        ("\"receive\"", "\"recieve\""),
        ("\"persistenceMethods\": [],", ""),
        ("\"persistenceMethods\"", "\"persistenceMethod\""),
        ("\"pool\": \"apiserver_pool\"", "\"pool\": \"other\""),
        ("\"use\": \"apiserver_mon\"", "\"use\": \"other\""),
        ("15.235.38.173", "15.235.38.172"),
        ("\"timeout\": 16", "\"timeout\": 5"),
        ("\"15.235.38.173\"", "\"2001:db8::1\""),
    ];
    refuses(Format::F5As3, "as3.json", &faults, check);
}

#[test]
fn icontrol_is_calls_that_the_model_takes() {
    let check = |file: &Path| big_ip::BigIp::default().icontrol(&std::fs::read_to_string(file).unwrap());
    each(Format::F5Icontrol, "icontrol.json", false, check);
    let faults = [
        ("\"user-up\"", "\"up\""),
        ("\"type\": \"automap\"", "\"type\": \"none\""),
        ("/ltm/pool", "/ltm/pools"),
    ];
    refuses(Format::F5Icontrol, "icontrol.json", &faults, check);
}

#[test]
fn terraform_reads_and_formats_it_so() {
    let terraform = on_path("terraform");
    if let Some(terraform) = &terraform {
        let formatted = |file: &Path| says(judge(terraform, &["fmt", "-check", &file.to_string_lossy()]));
        each(Format::F5Terraform, "tf", false, formatted);
        refuses(
            Format::F5Terraform,
            "tf",
            &[("  name  ", "  name "), ("}\n", "\n")],
            formatted,
        );
    } else {
        tools::skipped::say("terraform is not on PATH, so `terraform fmt -check` does not run");
    }
    let python = tool("python3").filter(|python| judge(python, &["-c", "import hcl2"]).0);
    let Some(python) = python else {
        return missing("python-hcl2 is not installed (.ci/tools installs it)");
    };
    let script = own("hcl_args.py");
    let known = |file: &Path| says(judge(&python, &all_at_once(&script, &[file.to_owned()])));
    let (_folder, files) = written(Format::F5Terraform, "tf", false);
    says(judge(&python, &all_at_once(&script, &files))).unwrap();
    let faults = [
        ("service_down_action", "service_down_act"),
        ("state    = \"enabled\"", "state    = \"user-up\""),
        ("address     = each.value", "host        = each.value"),
        ("\"bigip_ltm_pool\"", "\"bigip_ltm_pools\""),
        ("}\n", "\n"),
    ];
    refuses(Format::F5Terraform, "tf", &faults, known);
}

#[test]
fn ansible_knows_the_modules_and_arguments() {
    let (Some(playbook), Some(python)) = (tool("ansible-playbook"), tool("python3")) else {
        return;
    };
    if !judge(&python, &["-c", "import ansible"]).0 {
        return missing("the Python beside ansible-playbook has no ansible (.ci/tools installs it)");
    }
    let script = own("ansible_args.py");
    let arguments = |file: &Path| says(judge(&python, &all_at_once(&script, &[file.to_owned()])));
    let (_folder, files) = written(Format::F5Ansible, "ansible.yml", true);
    says(judge(&python, &all_at_once(&script, &files))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (index, case) in cases()
        .iter()
        .filter(|case| fits(case, Format::F5Ansible))
        .enumerate()
        .take(2)
    {
        let file = folder.path().join(format!("{index}.yml"));
        for text in [
            whole(&case.list, Format::F5Ansible),
            rendered(&case.list, Format::F5Ansible, Some(&case.old), false),
        ] {
            std::fs::write(&file, text).unwrap();
            says(judge(
                &playbook,
                &["--syntax-check", "-i", "localhost,", &file.to_string_lossy()],
            ))
            .unwrap();
        }
    }
    let faults = [
        (
            "lb_method: least-connections-member",
            "lb_method: least-connections-members",
        ),
        ("service_down_action", "service_down_act"),
        (
            "pool: dkp-demo_apiserver_6443_pool",
            "pools: dkp-demo_apiserver_6443_pool",
        ),
        ("state: present", "state: up"),
    ];
    refuses(Format::F5Ansible, "ansible.yml", &faults, arguments);
}

#[test]
fn haproxy_reads_it() {
    let Some(haproxy) = tool("haproxy") else { return };
    let check = |file: &Path| says(judge(&haproxy, &["-c", "-f", &file.to_string_lossy()]));
    each(Format::Haproxy, "haproxy.cfg", false, check);
    let faults = [
        ("15.235.38.172:", "15.235.38.999:"),
        ("balance leastconn", "balance leastcon"),
        ("check-ssl", "check-tls"),
        ("default_backend dkp-demo_", "default_backend other_"),
        ("expect status 200", "expect status ok"),
    ];
    refuses(Format::Haproxy, "haproxy.cfg", &faults, check);
}

/// NGINX opens the listeners in its check: the ports are exchanged for free ones.
#[test]
fn nginx_reads_it() {
    let Some(nginx) = tool("nginx") else { return };
    let pid = tempfile::NamedTempFile::new().unwrap();
    let global = format!("pid {};", pid.path().display());
    let free: Vec<(u16, u16)> = [6443_u16, 4443, 8443, 8080, 8132]
        .into_iter()
        .zip(free_ports(5))
        .collect();
    let check = |file: &Path| {
        let mut text = std::fs::read_to_string(file).unwrap();
        for (port, free) in &free {
            for listen in ["listen ".to_owned(), "listen [::]:".to_owned()] {
                text = text.replace(&format!("{listen}{port}"), &format!("{listen}{free}"));
            }
            let lines = text.lines().map(|line| {
                let vip = line.trim_start().starts_with("listen 127.0.0.");
                if vip {
                    line.replace(&format!(":{port};"), &format!(":{free};"))
                } else {
                    line.to_owned()
                }
            });
            text = lines.collect::<Vec<_>>().join("\n") + "\n";
        }
        let copy = file.with_extension("copy.conf");
        let copy = if file.starts_with(std::env::temp_dir()) {
            copy
        } else {
            std::env::temp_dir().join("capv-ipam-invalid.conf")
        };
        std::fs::write(&copy, text).unwrap();
        says(judge(&nginx, &["-t", "-c", &copy.to_string_lossy(), "-g", &global]))
    };
    each(Format::Nginx, "nginx.conf", false, check);
    let faults = [
        ("least_conn;", "least_connn;"),
        ("max_fails=3", "max_fail=3"),
        ("proxy_pass dkp", "proxy_pas dkp"),
        ("}\n", "\n"),
    ];
    refuses(Format::Nginx, "nginx.conf", &faults, check);
}

fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect()
}

/// Keepalived wants an interface that the host has.
#[test]
fn keepalived_reads_it() {
    let Some(keepalived) = tool("keepalived") else { return };
    let interfaces = std::fs::read_dir("/sys/class/net").unwrap();
    let mut names: Vec<String> = interfaces
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let Some(interface) = names.into_iter().find(|name| name != "lo") else {
        return missing("no network interface beside lo, which keepalived wants");
    };
    let check = |file: &Path| {
        let text = std::fs::read_to_string(file)
            .unwrap()
            .replace("interface eth0", &format!("interface {interface}"));
        let copy = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(copy.path(), text).unwrap();
        let (good, text) = judge(&keepalived, &["--config-test", "-f", &copy.path().to_string_lossy()]);
        // Some faults are only said.
        if good && text.is_empty() {
            Ok(())
        } else {
            Err(format!("{good} {text}"))
        }
    };
    each(Format::Keepalived, "keepalived.conf", false, check);
    let faults = [
        ("lb_algo wlc", "lb_algo wlcx"),
        ("SSL_GET", "SSL_GETT"),
        ("15.235.38.172 6443", "15.235.38.999 6443"),
        ("status_code 200", "status_code ok"),
    ];
    refuses(Format::Keepalived, "keepalived.conf", &faults, check);
}

#[test]
fn envoy_reads_it() {
    let Some(envoy) = tool("envoy") else { return };
    let check = |file: &Path| {
        says(judge(
            &envoy,
            &["--mode", "validate", "-l", "error", "-c", &file.to_string_lossy()],
        ))
    };
    each(Format::Envoy, "envoy.yaml", false, check);
    let faults = [
        ("port_value: 6443", "port_vlue: 6443"),
        ("lb_policy: LEAST_REQUEST", "lb_policy: LEAST_REQUESTS"),
        ("interval: 5s", "interval: 5"),
        ("address: 15.235.38.172", "address: 15.235.38.999"),
    ];
    refuses(Format::Envoy, "envoy.yaml", &faults, check);
}

#[test]
fn json_and_csv_are_what_they_say() {
    for case in cases() {
        let value: Value = serde_json::from_str(&whole(&case.list, Format::Json)).unwrap();
        assert_eq!(value["items"].as_array().unwrap().len(), case.list.services.len());
        let rows: usize = case.list.services.iter().map(|service| service.members.len()).sum();
        let csv = whole(&case.list, Format::Csv);
        assert_eq!(csv.lines().count(), rows + 1);
        assert!(csv.lines().all(|line| line.matches(',').count() == 9), "{csv}");
        let list = whole(&case.list, Format::List);
        assert!(
            list.lines().all(|line| line.parse::<std::net::SocketAddr>().is_ok()),
            "{list}"
        );
    }
}
