//! What our expressions give, against what the interpreter of the crate `cel` gives.

use super::*;

/// What the crate gives, in our words; `E` for an error.
fn theirs(text: &str) -> String {
    let program = cel::Program::compile(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    program.execute(&cel::Context::default()).map_or_else(|_| "E".into(), |value| their(&value))
}

fn their(value: &cel::Value) -> String {
    match value {
        cel::Value::Null => "null".into(),
        cel::Value::Bool(value) => value.to_string(),
        cel::Value::Int(value) => value.to_string(),
        cel::Value::Float(value) => format!("{value:?}"),
        cel::Value::String(text) => format!("{text:?}"),
        cel::Value::List(values) => format!("[{}]", values.iter().map(their).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

fn ours(text: &str) -> String {
    let session = Session::new(1, Vec::new());
    at(&session, Tag::Item, &[], text)
}

#[test]
fn expressions_give_what_cel_gives() {
    let expressions = [
        "1 + 2 * 3 - 4 / 3 % 2",
        "-7 / 2",
        "-7 % 3",
        "7 / 0",
        "7 % 0",
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "-(-9223372036854775808)",
        "9223372036854775807 * 2",
        "-9223372036854775808 / -1",
        "1.5 + 2.25 * 2.0 - 1.0 / 4.0",
        "1.0 / 0.0 > 1.0",
        "1 == 1.0",
        "1 < 1.5 && 2.5 > 2",
        "'a' + 'b' == 'ab'",
        "'a' < 'b' && 'ä' > 'z'",
        "false < true",
        "[1, 2] + [3] == [1, 2, 3]",
        "[1, 2] == [2, 1]",
        "1 in [3, 2, 1]",
        "'b' in {'a': 1}",
        "{'a': 1, 'b': 2} == {'b': 2, 'a': 1}",
        "{'a': {'b': 7}}.a.b",
        "{'a': 1}['b']",
        "{1: 'x'}[1]",
        "has({'a': 1}.a)",
        "has({'a': 1}.b)",
        "[1, 2, 3][1]",
        "[1, 2, 3][3]",
        "[1, 2, 3].all(x, x > 0)",
        "[1, 2, 3].exists(x, x > 2)",
        "[1, 2, 3].exists_one(x, x > 1)",
        "[1, 2, 3].exists_one(x, x > 2)",
        "[1, 2, 3].map(x, x * x)",
        "[1, 2, 3].map(x, x > 1, x * x)",
        "[1, 2, 3].filter(x, x % 2 == 1)",
        "{'a': 1, 'b': 2}.all(k, k < 'c')",
        "{'a': 1}.map(k, k + k)",
        "[[1, 2], [3]].map(x, x.map(y, y + x.size()))",
        "[].all(x, false)",
        "[].exists(x, true)",
        "[0, 1].exists(x, 1 / x == 1)",
        "[0, 2].exists(x, 1 / x == 1)",
        "[0, 1].all(x, 1 / x == 0)",
        "[0, 1].all(x, 1 / x == 1)",
        "[1, 0].map(x, 1 / x)",
        "[1, 0].filter(x, 1 / x == 1)",
        "[1, 0].exists_one(x, 1 / x == 1)",
        "1 / 0 == 1 || true",
        "true || 1 / 0 == 1",
        "1 / 0 == 1 || false",
        "1 / 0 == 1 && false",
        "false && 1 / 0 == 1",
        "1 / 0 == 1 && true",
        "true ? 1 : 1 / 0",
        "1 / 0 == 1 ? 1 : 2",
        "'häuser'.size()",
        "size('') + size([1]) + size({'a': 1, 'b': 2})",
        "'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b')",
        "'abc'.startsWith('')",
        "'./Vendor/MSFT'.matches('^\\\\./Vendor/[A-Z]+$')",
        "'xaby'.matches(r'a.')",
        "matches('abc', 'd')",
        "int('12') + int(1.9) + int(-1.9)",
        "int('x')",
        "int(1e19)",
        "double('1.5') + double(2)",
        "string(1) + string(true) + string(1.5) + string('x')",
        "null == null",
        "[null].exists(x, x == null)",
        "!true == false",
        "!!true",
        "--1",
        "1 - -1",
        r#""\x41\u00e4\U0001F600\101\n\t\"" + '''a'b''' + r"\d""#,
        "// a comment\n1",
        "0x1F + 1",
        "1e3 + .5",
        "[1, 2,]",
        "{'a': 1,}['a']",
        "(1 + 2) * 3",
        "1 + 2 == 3 ? 'yes' : 'no'",
        "[1, 2, 3].exists(x, [4, 5].exists(y, x + y == 8))",
        "[1, 2].map(x, [x].map(x, x + 1))",
    ];
    let wrong: Vec<String> = expressions
        .iter()
        .filter(|text| ours(text) != theirs(text))
        .map(|text| format!("{text}: ours {}, theirs {}", ours(text), theirs(text)))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Makes expressions by chance, of types that fit.
struct Chance {
    state: u64,
    variables: Vec<String>,
}

impl Chance {
    fn below(&mut self, many: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % many
    }

    fn int(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { self.below(2) } else { self.below(9) } {
            0 => ["0", "1", "2", "-3", "9223372036854775807"][self.below(5)].to_owned(),
            1 if self.variables.is_empty() => "7".to_owned(),
            1 => {
                let at = self.below(self.variables.len());
                self.variables[at].clone()
            }
            2 => format!("{}.size()", self.list(depth)),
            3 => format!("size({})", self.text(depth)),
            4 => format!("{}[{}]", self.list(depth), self.int(depth)),
            5 => format!("({} ? {} : {})", self.bool(depth), self.int(depth), self.int(depth)),
            _ => {
                let sign = ["+", "-", "*", "/", "%"][self.below(5)];
                format!("({} {sign} {})", self.int(depth), self.int(depth))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { 0 } else { self.below(4) } {
            0 | 1 => ["''", "'a'", "'ab'", "'äb'"][self.below(4)].to_owned(),
            2 => format!("string({})", self.int(depth)),
            _ => format!("({} + {})", self.text(depth), self.text(depth)),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { 0 } else { self.below(5) } {
            0 | 1 => {
                let parts: Vec<String> = (0..self.below(4)).map(|_| self.int(depth)).collect();
                format!("[{}]", parts.join(", "))
            }
            2 => format!("({} + {})", self.list(depth), self.list(depth)),
            3 => self.each("map", depth, Chance::int),
            _ => self.each("filter", depth, Chance::bool),
        }
    }

    fn each(&mut self, name: &str, depth: usize, body: fn(&mut Chance, usize) -> String) -> String {
        let list = self.list(depth);
        let variable = format!("v{}", self.variables.len());
        if self.variables.len() + 1 >= limits::RULE_VARIABLES {
            return format!("{list}.{name}(x, {})", if name == "map" { "1" } else { "true" });
        }
        self.variables.push(variable.clone());
        let body = body(self, depth);
        self.variables.pop();
        format!("{list}.{name}({variable}, {body})")
    }

    fn bool(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { 0 } else { self.below(12) } {
            0 => ["true", "false"][self.below(2)].to_owned(),
            1 => format!("!{}", self.bool(depth)),
            2 | 3 => format!("({} && {})", self.bool(depth), self.bool(depth)),
            4 | 5 => format!("({} || {})", self.bool(depth), self.bool(depth)),
            6 => format!("({} in {})", self.int(depth), self.list(depth)),
            7 => format!(
                "{}.{}({})",
                self.text(depth),
                ["startsWith", "endsWith", "contains"][self.below(3)],
                self.text(depth)
            ),
            8 => {
                let name = ["all", "exists", "exists_one"][self.below(3)];
                self.each(name, depth, Chance::bool)
            }
            9 => format!("({} == {})", self.list(depth), self.list(depth)),
            _ => {
                let sign = ["==", "!=", "<", "<=", ">", ">="][self.below(6)];
                format!("({} {sign} {})", self.int(depth), self.int(depth))
            }
        }
    }
}

#[test]
fn expressions_by_chance_give_what_cel_gives() {
    let mut chance = Chance { state: 7, variables: Vec::new() };
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..1500 {
        let text = chance.bool(5);
        if text.len() > 2000 {
            continue;
        }
        let given = ours(&text);
        assert_eq!(given, theirs(&text), "{text}");
        *seen.entry(given).or_default() += 1;
    }
    assert!(["true", "false", "E"].iter().all(|result| seen.get(*result).is_some_and(|count| *count > 50)), "{seen:?}");
}
