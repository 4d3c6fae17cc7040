//! A template read into nodes: text, actions, conditions. Loops, variables and definitions of Go's
//! text/template are refused, since no name needs them. Pure; running is [`super::eval`]'s.

use super::functions;
use super::lex::{Piece, Word, pieces};
use super::value::Value;

/// How deep parentheses and conditions may nest: far beyond any name, far below the stack.
const MAX_DEPTH: usize = 32;
/// How long a template may be, in bytes: a name has 64.
const MAX_TEMPLATE: usize = 16 * 1024;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// As it stands.
    Text(String),
    /// `{{ pipeline }}`
    Action(Pipeline),
    /// `{{ if }} … {{ else if }} … {{ else }} … {{ end }}`
    If {
        /// Each condition with what it guards, in order.
        branches: Vec<(Pipeline, Vec<Node>)>,
        /// Where none holds.
        otherwise: Vec<Node>,
    },
}

/// Commands, each given the value of the one before as its last argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pipeline(pub(super) Vec<Command>);

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// What is asked: a function, or a value.
    pub(super) head: Operand,
    /// Its arguments; none for a value.
    pub(super) arguments: Vec<Operand>,
}

/// A thing that has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// `.Name`
    Field(String),
    /// A function.
    Function(String),
    /// As written.
    Constant(Value),
    /// `( pipeline )`
    Group(Pipeline),
}

/// Reads a template, or says why it is none.
pub(super) fn parse(template: &str) -> Result<Vec<Node>, String> {
    if template.len() > MAX_TEMPLATE {
        return Err(format!("a template has at most {MAX_TEMPLATE} bytes"));
    }
    let mut pieces = pieces(template)?.into_iter();
    match block(&mut pieces, 0)? {
        (nodes, Stop::Input) => Ok(nodes),
        (_, Stop::End) => Err("unexpected {{end}}".into()),
        (_, Stop::Else(_)) => Err("unexpected {{else}}".into()),
    }
}

/// What ended a block.
enum Stop {
    Input,
    End,
    /// `else`, with the words of an `else if`.
    Else(Option<Vec<Word>>),
}

fn block(
    pieces: &mut std::vec::IntoIter<Piece>,
    depth: usize,
) -> Result<(Vec<Node>, Stop), String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH}"));
    }
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.next() {
        let words = match piece {
            Piece::Text(text) => {
                nodes.push(Node::Text(text));
                continue;
            }
            Piece::Action(words) => words,
        };
        match (keyword(&words), words.get(1..).unwrap_or_default()) {
            (Some("if"), condition) => nodes.push(condition_node(condition, pieces, depth)?),
            (Some("end"), []) => return Ok((nodes, Stop::End)),
            (Some("else"), []) => return Ok((nodes, Stop::Else(None))),
            (Some("else"), [Word::Name(name), condition @ ..]) if name == "if" => {
                return Ok((nodes, Stop::Else(Some(condition.to_vec()))));
            }
            (Some(keyword), _) => return Err(format!("unexpected words or keyword: {keyword}")),
            (None, _) => nodes.push(Node::Action(whole_pipeline(&words)?)),
        }
    }
    Ok((nodes, Stop::Input))
}

fn keyword(words: &[Word]) -> Option<&str> {
    match words.first() {
        Some(Word::Name(name)) => {
            let is_keyword = matches!(
                name.as_str(),
                "if" | "else"
                    | "end"
                    | "range"
                    | "with"
                    | "define"
                    | "block"
                    | "template"
                    | "break"
                    | "continue"
            );
            is_keyword.then_some(name.as_str())
        }
        Some(_) | None => None,
    }
}

fn condition_node(
    condition: &[Word],
    pieces: &mut std::vec::IntoIter<Piece>,
    depth: usize,
) -> Result<Node, String> {
    let mut branches = Vec::new();
    let mut condition = whole_pipeline(condition)?;
    loop {
        let (nodes, stop) = block(pieces, depth.saturating_add(1))?;
        branches.push((condition, nodes));
        match stop {
            Stop::Input => return Err("unexpected EOF: an `if` has no {{end}}".into()),
            Stop::End => {
                return Ok(Node::If { branches, otherwise: Vec::new() });
            }
            Stop::Else(Some(next)) => condition = whole_pipeline(&next)?,
            Stop::Else(None) => break,
        }
    }
    match block(pieces, depth.saturating_add(1))? {
        (otherwise, Stop::End) => Ok(Node::If { branches, otherwise }),
        (_, Stop::Input | Stop::Else(_)) => Err("expected {{end}} after {{else}}".into()),
    }
}

fn whole_pipeline(words: &[Word]) -> Result<Pipeline, String> {
    let mut words = words.iter();
    let (pipeline, closed) = pipeline(&mut words, 0)?;
    if closed { Err("unexpected right paren".into()) } else { Ok(pipeline) }
}

/// Reads commands up to the end of the words, or a `)`, and says which it was.
fn pipeline(
    words: &mut std::slice::Iter<'_, Word>,
    depth: usize,
) -> Result<(Pipeline, bool), String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH}"));
    }
    let mut commands = Vec::new();
    let mut operands = Vec::new();
    let closed = loop {
        let operand = match words.next() {
            None => break false,
            Some(Word::Close) => break true,
            Some(Word::Pipe) => {
                commands.push(command(std::mem::take(&mut operands), !commands.is_empty())?);
                continue;
            }
            Some(Word::Open) => {
                let (inner, closed) = pipeline(words, depth.saturating_add(1))?;
                if !closed {
                    return Err("unclosed left paren".into());
                }
                Operand::Group(inner)
            }
            Some(Word::Field(name)) if name.is_empty() => {
                return Err("`.` alone is not a name's part".into());
            }
            Some(Word::Field(name)) => Operand::Field(name.clone()),
            Some(Word::Text(text)) => Operand::Constant(Value::Text(text.clone())),
            Some(Word::Int(number)) => Operand::Constant(Value::Int(*number)),
            Some(Word::Name(name)) => named(name)?,
        };
        operands.push(operand);
    };
    commands.push(command(operands, !commands.is_empty())?);
    Ok((Pipeline(commands), closed))
}

fn named(name: &str) -> Result<Operand, String> {
    match name {
        "true" => Ok(Operand::Constant(Value::Bool(true))),
        "false" => Ok(Operand::Constant(Value::Bool(false))),
        known if functions::exists(known) => Ok(Operand::Function(known.to_owned())),
        unknown => Err(format!("function {unknown:?} not defined")),
    }
}

fn command(operands: Vec<Operand>, is_piped: bool) -> Result<Command, String> {
    let mut operands = operands.into_iter();
    let Some(head) = operands.next() else {
        return Err("missing value for command".into());
    };
    let arguments: Vec<Operand> = operands.collect();
    match &head {
        Operand::Function(_) => {}
        Operand::Field(_) | Operand::Constant(_) | Operand::Group(_) => {
            if is_piped {
                return Err("non executable command in pipeline".into());
            }
            if !arguments.is_empty() {
                return Err("can't give argument to non-function".into());
            }
        }
    }
    Ok(Command { head, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_bounded() {
        let deep = |n: usize| format!("{{{{ {}.Type{} }}}}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&deep(30)).is_ok());
        assert!(parse(&deep(2000)).unwrap_err().starts_with("nested deeper"));
        let ifs = |n: usize| "{{if .Type}}".repeat(n) + &"{{end}}".repeat(n);
        assert!(parse(&ifs(30)).is_ok());
        assert!(parse(&ifs(500)).unwrap_err().starts_with("nested deeper"));
        assert!(parse(&"x".repeat(20_000)).is_err());
    }

    #[test]
    fn what_no_name_needs_is_refused() {
        for bad in [
            "{{ . }}",
            "{{ 5 | .Type }}",
            "{{ .Type 5 }}",
            "{{ | random }}",
            "{{ else }}",
            "{{ with .Type }}{{ end }}",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
