#!/usr/bin/env python3
"""Offline check of Terraform files:  hcl_args.py FILE...

Parses each file with python-hcl2 and compares the arguments of every F5 resource with the names that the provider knows.
Nothing is contacted."""
import sys

import hcl2

KNOWN = {
    "bigip_ltm_monitor": ({"name", "parent"}, {"send", "receive", "interval", "timeout"}),
    "bigip_ltm_pool": ({"name"}, {"description", "load_balancing_mode", "monitors", "service_down_action"}),
    "bigip_ltm_node": ({"name", "address"}, {"for_each", "description"}),
    "bigip_ltm_pool_attachment": ({"pool", "node"}, {"for_each", "state"}),
    "bigip_ltm_virtual_server": (
        {"name"},
        {"description", "destination", "port", "ip_protocol", "profiles", "pool", "source_address_translation"},
    ),
}
CHOICES = {
    "load_balancing_mode": {"least-connections-member"},
    "service_down_action": {"reset"},
    "state": {"enabled", "disabled", "forced_offline"},
    "source_address_translation": {"automap", "snat", "none"},
    "ip_protocol": {"tcp"},
}


def plain(text):
    return text.strip('"') if isinstance(text, str) else text


bad = []
for file in sys.argv[1:]:
    with open(file) as module:
        tree = hcl2.load(module)
    bad += [f"unknown block {name}" for name in tree if name not in ("terraform", "locals", "resource")]
    seen = set()
    for block in tree.get("resource", []):
        for kind, labels in block.items():
            kind = plain(kind)
            for label, arguments in labels.items():
                label = plain(label)
                if (kind, label) in seen:
                    bad.append(f"{kind}.{label} twice")
                seen.add((kind, label))
                if kind not in KNOWN:
                    bad.append(f"unknown resource {kind}")
                    continue
                required, optional = KNOWN[kind]
                names = {name for name in arguments if not name.startswith("__")}
                bad += [f"{kind}.{label}: unknown argument {name}" for name in sorted(names - required - optional)]
                bad += [f"{kind}.{label}: {name} is missing" for name in sorted(required - names)]
                for name, choices in CHOICES.items():
                    if name in arguments and plain(arguments[name]) not in choices:
                        bad.append(f"{kind}.{label}: {name} = {arguments[name]}")
print("\n".join(bad) if bad else "ok")
sys.exit(1 if bad else 0)
