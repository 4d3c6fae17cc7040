//! Runs a template. Pure but for what [`World`] gives: the time and the randomness. What the
//! functions do is in [`super::functions`].

use super::functions::{self, World};
use super::parse::{Command, Node, Operand, Pipeline};
use super::value::Value;

/// How long the text may grow, in bytes: a name has 64, the rest is a mistake.
const MAX_TEXT: usize = 64 * 1024;

/// The text that a template makes.
pub(super) fn run(nodes: &[Node], world: &World<'_>) -> Result<String, String> {
    let mut text = String::new();
    append(nodes, world, &mut text)?;
    Ok(text)
}

fn append(nodes: &[Node], world: &World<'_>, text: &mut String) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(literal) => text.push_str(literal),
            Node::Action(pipeline) => text.push_str(&value_of(pipeline, world)?.to_string()),
            Node::If { branches, otherwise } => {
                append(chosen(branches, otherwise, world)?, world, text)?;
            }
        }
        if text.len() > MAX_TEXT {
            return Err(format!("the text grew beyond {MAX_TEXT} bytes"));
        }
    }
    Ok(())
}

fn chosen<'a>(
    branches: &'a [(Pipeline, Vec<Node>)],
    otherwise: &'a [Node],
    world: &World<'_>,
) -> Result<&'a [Node], String> {
    for (condition, nodes) in branches {
        if value_of(condition, world)?.is_true() {
            return Ok(nodes);
        }
    }
    Ok(otherwise)
}

fn value_of(pipeline: &Pipeline, world: &World<'_>) -> Result<Value, String> {
    let mut piped = None;
    for command in &pipeline.0 {
        piped = Some(run_command(command, piped, world)?);
    }
    piped.ok_or_else(|| "missing value for command".to_owned())
}

fn run_command(
    command: &Command,
    piped: Option<Value>,
    world: &World<'_>,
) -> Result<Value, String> {
    let Operand::Function(name) = &command.head else {
        return operand(&command.head, world);
    };
    let mut arguments = Vec::with_capacity(command.arguments.len().saturating_add(1));
    for argument in &command.arguments {
        arguments.push(operand(argument, world)?);
    }
    arguments.extend(piped);
    functions::call(name, arguments, world)
}

fn operand(operand: &Operand, world: &World<'_>) -> Result<Value, String> {
    match operand {
        Operand::Field(name) => match world.inputs.field(name) {
            Some(text) => Ok(Value::Text(text.to_owned())),
            None => Err(format!(
                "can't evaluate field {name}: there are Type, DisplayName and PolicyName"
            )),
        },
        Operand::Function(name) => functions::call(name, Vec::new(), world),
        Operand::Constant(value) => Ok(value.clone()),
        Operand::Group(pipeline) => value_of(pipeline, world),
    }
}
