"""A project with twenty-five faults; each line that has one ends in `# fault: what is said`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"# fault: (.*)$")
HEAD = "label: L\nmodel: intent\nof: {of}\n"

FILES = {
    "deployments/sandbox.toml": """
[company]
name = "Test"
time_zone = "Europe/Berlin"  # fault: Did you mean timezone?
[sources.crm]
connector = "files"
prioritty = 10  # fault: Did you mean priority?
""",
    "segment_rules/misspelt.yaml": """\
segment: misspelt
label: Misspelt
modle: intent  # fault: Did you mean model?
model: technografic  # fault: Did you mean technographic?
of: contact
when:
  all:
    - account.industri: fintech  # fault: Did you mean account.industry?
    - account.employee_count: {at_leest: 10}  # fault: Did you mean at_least?
    - event: {name: login, cout: {at_least: 3}}  # fault: Did you mean count?
    - segmnet: fine  # fault: Did you mean segment?
    - segment: fin  # fault: Did you mean fine?
""",
    "segment_rules/typed.yaml": """\
segment: typed
label: Typed
model: intent
of: account
when:
  all:
    - employee_count: {at_least: many}  # fault: 'many'
    - annual_revenue: {between: [9, 1]}  # fault: wrong way round
    - created_at: {within: 30}  # fault: 30 days
    - name: {matches: "("}  # fault: regular expression
    - contact.title: CFO  # fault: has many contacts
""",
    "segment_rules/lacking.yaml": """\
segment: absent  # fault: Write segment: lacking
label: Lacking
model: intent
of: contact
when: {}  # fault: match_all
activate:
  - {to: hubspot}  # fault: Add as: tag
experiment: {holdout: 80%}  # fault: Write holdout: 10%
stay: {at_least: 3 dais}  # fault: 30 days
review_by: 2027-02-31  # fault: 2027-02-31
""",
    "segment_rules/examples.yaml": """\
segment: examples
label: Examples
model: intent
of: contact
when: {title: CFO}
examples:
  - {given: {contact: {titel: CFO}}, member: true}  # fault: Did you mean title?
  - {given: {contact: {title: CFO}}, member: maybe}  # fault: true or false
""",
    "segment_rules/fine.yaml": """\
segment: fine
label: Fine
model: intent
of: contact
when: {title: CFO}
""",
    "segment_rules/traits/spend.yaml": """\
trait: spend
label: Spend
of: contact
aggregate: {order: {summ: total}}  # fault: summ
""",
    "segment_rules/ladders/stage.yaml": """\
ladder: stage
label: Stage
model: lifecycle
of: contact
rungs:
  - {rung: customer, when: {lifecycle_stag: customer}}  # fault: Did you mean lifecycle_stage?
  - {rung: customer, otherwise: true}  # fault: twice
""",
}


def plant(folder: Path) -> list[tuple[str, int, str]]:
    """Write the project; (path, line, words of the answer) of each fault."""
    shutil.copytree(ROOT / "flows", folder / "flows")
    shutil.copy(ROOT / "prefect.yaml", folder)
    found = []
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if mark := MARK.search(line):
                found.append((name, number, mark[1]))
    return found
