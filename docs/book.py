"""Preprocessor of the book: adds a chapter for each family of rules, with the rules' pages of rules/ below it.

mdBook gives the book as JSON and takes it back. https://rust-lang.github.io/mdBook/for_developers/preprocessors.html
"""

import json
import pathlib
import sys
import tomllib

RULES = pathlib.Path(__file__).resolve().parent.parent / "rules"
# The chapter of SUMMARY.md that the families go below.
CATALOG = "rules.md"
LEVELS = ("windows", "oma")
# Kinds of blocks in examples (rules/README.md), and what to colour them as.
LANGUAGES = {"syncml": "xml", "soap": "xml", "wap": "xml", "http": "http", "wbxml": "xml"}
LANGUAGES |= dict.fromkeys(("tls", "handshake"), "text") | dict.fromkeys(("credentials", "options"), "toml")


def chapter(name, content, path, inner, parents):
    return {
        "Chapter": {
            "name": name,
            "content": content,
            "number": None,
            "sub_items": inner,
            "path": path,
            "source_path": None,
            "parent_names": parents,
        }
    }


def facts(rule):
    rows = [(profile, rule["severity"].get(profile, "off")) for profile in LEVELS]
    rows += [("fault", rule["fault"]), ("scope", rule["scope"]), ("since", rule["since"])]
    rows += [("written in", "; ".join(rule["spec"]))] if rule.get("spec") else []
    for name, option in rule.get("options", {}).items():
        rows.append(("option", f"`{name} = {json.dumps(option['default'])}`: {option['about']}"))
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


def prose(line):
    """A line of plain text as Markdown."""
    return line.replace("<", "&lt;").replace("|", "\\|")


def captioned(text):
    """Fenced blocks with the words behind their language as a line of text, which a browser would not show."""
    lines, code = [], False
    for line in text.splitlines():
        language, _, words = line.removeprefix("```").partition(" ")
        if line.startswith("```") and not code and language in LANGUAGES:
            lines += [f"*{language}: {words}*" if words else f"*{language}*", "", f"```{LANGUAGES[language]}"]
        else:
            lines.append(line)
        code ^= line.startswith("```")
    return "\n".join(lines)


def page(rule, text):
    return (
        f"# {rule['id']} {rule['name']}\n\n{prose(rule['summary'])}.\n\n**Fix:** {prose(rule['fix'])}\n\n"
        f"| | |\n|---|---|\n{facts(rule)}\n\n{captioned(text.strip())}\n"
    )


def rules():
    """All rules by family: front matter, text, path in the book."""
    families = {}
    for path in sorted(RULES.glob("*/*.md"), key=lambda path: path.name):
        _, head, text = path.read_text(encoding="utf-8").split("+++\n", 2)
        rule = tomllib.loads(head)
        name = f"{rule['id'].rsplit('-', 1)[0]}: {path.parent.name.replace('_', ' ')}"
        families.setdefault(name, []).append((rule, text, f"rules/{path.name}"))
    return families


def family(name, members, parents):
    rows = []
    for rule, _, path in members:
        windows, oma = (rule["severity"].get(profile, "off") for profile in LEVELS)
        rows.append(f"| [{rule['id']}]({path.removeprefix('rules/')}) | {rule['name']} | {windows} | {oma} | {prose(rule['summary'])} |")
    table = "\n".join(["| rule | name | windows | oma | what it reports |", "|---|---|---|---|---|", *rows])
    inner = [chapter(rule["id"], page(rule, text), path, [], [*parents, name]) for rule, text, path in members]
    return chapter(name, f"# {name}\n\n{table}\n", f"rules/{name.split(':')[0]}.md", inner, parents)


def main():
    if sys.argv[1:2] == ["supports"]:
        return
    _, book = json.load(sys.stdin)
    catalog = next(item["Chapter"] for item in book["items"] if item.get("Chapter", {}).get("path") == CATALOG)
    families = [family(name, members, [catalog["name"]]) for name, members in sorted(rules().items())]
    links = (f"- [{item['Chapter']['name']}]({item['Chapter']['path']})" for item in families)
    catalog["content"] += "\n" + "\n".join(links) + "\n"
    catalog["sub_items"] = families
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
