//! Writes the page out of the document.

use serde_json::{Map, Value};

use super::html::Html;
use super::schema;
use crate::http::partner::problem::PROBLEM_KINDS;
use crate::http::partner::routes::routes;

/// The page's style.
pub(super) const STYLE: &str = include_str!("style.css");

/// An operation and where it stands.
struct Operation<'a> {
    method: &'static str,
    path: &'static str,
    is: &'a Value,
    /// By name, where its body is written out.
    schemas: &'a Value,
}

impl Operation<'_> {
    fn text(&self, member: &str) -> &str {
        text(self.is, member)
    }

    fn tag(&self) -> &str {
        self.is["tags"][0].as_str().unwrap_or_default()
    }
}

/// A member that is a text.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// The whole page.
pub(super) fn render(document: &Value) -> String {
    let operations: Vec<_> = routes()
        .map(|route| Operation {
            method: route.method,
            path: route.path,
            is: &document["paths"][route.path][route.method.to_ascii_lowercase()],
            schemas: &document["components"]["schemas"],
        })
        .collect();
    let mut tags: Vec<&str> = operations.iter().map(Operation::tag).collect();
    tags.dedup();
    let mut html = Html::default();
    html.raw("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    let title = text(&document["info"], "title");
    html.element("title", |html| {
        html.text(title);
    });
    html.raw("<style>").raw(STYLE).raw("</style>");
    html.raw("<a class=\"skip\" href=\"#main\">Skip to the text</a>");
    contents(&mut html, title, &tags, &operations);
    html.with("main", ("id", "main"), |html| {
        introduction(html, &document["info"]);
        for tag in tags {
            area(html, tag, operations.iter().filter(|operation| operation.tag() == tag));
        }
        schemas(html, &document["components"]["schemas"]);
        problems(html);
    });
    html.raw("</html>");
    html.end()
}

fn contents(html: &mut Html, title: &str, tags: &[&str], operations: &[Operation<'_>]) {
    html.with("nav", ("aria-label", "Contents"), |html| {
        html.with("a", ("href", "#main"), |html| {
            html.element("strong", |html| {
                html.text(title);
            });
        });
        for tag in tags {
            html.element("section", |html| {
                html.link("area", tag, tag).raw("<ul>");
                for operation in operations.iter().filter(|operation| operation.tag() == *tag) {
                    html.element("li", |html| {
                        html.link("op", operation.text("operationId"), operation.text("summary"));
                    });
                }
                html.raw("</ul>");
            });
        }
        for (name, title) in [("schemas", "Schemas"), ("problems", "Problems")] {
            html.element("section", |html| {
                html.link("area", name, title);
            });
        }
    });
}

fn introduction(html: &mut Html, info: &Value) {
    html.element("header", |html| {
        html.element("h1", |html| {
            html.text(text(info, "title"));
        });
        html.with("p", ("class", "quiet"), |html| {
            html.text("Version ")
                .text(text(info, "version"))
                .text(". The same for programs: ");
            html.with("a", ("href", "/v1/openapi.json"), |html| {
                html.text("openapi.json");
            });
        });
        html.paragraphs(text(info, "description"));
    });
}

fn area<'a>(html: &mut Html, tag: &str, operations: impl Iterator<Item = &'a Operation<'a>>) {
    heading(html, tag, tag);
    for is in operations {
        let id = format!("op-{}", is.text("operationId"));
        html.with("article", ("id", &id), |html| operation(html, is));
    }
}

fn heading(html: &mut Html, name: &str, title: &str) {
    html.with("h2", ("id", &format!("area-{name}")), |html| {
        html.text(title);
    });
}

fn operation(html: &mut Html, operation: &Operation<'_>) {
    html.element("h3", |html| {
        html.text(operation.text("summary"));
    });
    html.with("p", ("class", "target"), |html| {
        html.with("b", ("class", &operation.method.to_ascii_lowercase()), |html| {
            html.text(operation.method);
        });
        html.raw(" ").code(operation.path);
    });
    html.paragraphs(operation.text("description"));
    may(html, &operation.is["x-kiungo-may"]);
    parameters(html, &operation.is["parameters"]);
    let body = &operation.is["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        html.raw("<h4>Body</h4><p>");
        schema::kind(html, body);
        html.raw("</p>");
        if let Some(reference) = body["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            schema::details(html, &operation.schemas[name]);
        }
    }
    if let Some(responses) = operation.is["responses"].as_object() {
        answers(html, responses);
    }
}

/// Who may call it.
fn may(html: &mut Html, may: &Value) {
    html.with("p", ("class", "quiet"), |html| {
        html.text("For ").text(text(may, "by"));
        if let (Some(object), Some(action)) = (may["object"].as_str(), may["action"].as_str()) {
            html.text(": ").code(&format!("{object}: {action}"));
        }
        html.text(".");
    });
}

/// Its own parameters; headers that many take are explained once.
fn parameters(html: &mut Html, parameters: &Value) {
    let all = parameters.as_array().map(Vec::as_slice).unwrap_or_default();
    let own: Vec<_> = all.iter().filter(|parameter| parameter.get("$ref").is_none()).collect();
    if own.is_empty() {
        return;
    }
    html.raw("<h4>Parameters</h4><div class=\"wide\"><table>");
    for parameter in own {
        html.raw("<tr><th scope=\"row\">").code(text(parameter, "name"));
        html.raw(" <small>").text(text(parameter, "in")).raw("</small><td>");
        schema::kind(html, &parameter["schema"]);
        html.raw("<td>").words(text(parameter, "description"));
    }
    html.raw("</table></div>");
}

fn answers(html: &mut Html, responses: &Map<String, Value>) {
    html.raw("<h4>Answers</h4><div class=\"wide\"><table>");
    let (shared, own): (Vec<_>, Vec<_>) = responses.iter().partition(|(_, answer)| answer.get("$ref").is_some());
    for (status, answer) in own {
        html.raw("<tr><th scope=\"row\">")
            .text(status)
            .raw("<td>")
            .words(text(answer, "description"))
            .raw("<td>");
        let content = answer["content"].as_object().and_then(|content| content.iter().next());
        match content {
            Some((kind, content)) if kind.ends_with("json") => schema::kind(html, &content["schema"]),
            Some((kind, _)) => {
                html.text(kind);
            }
            None => {
                html.text("no body");
            }
        }
    }
    html.raw("<tr><th scope=\"row\">Problems<td colspan=\"2\">");
    for (status, _) in shared {
        html.link("status", status, status).raw(" ");
    }
    html.raw("</table></div>");
}

fn schemas(html: &mut Html, schemas: &Value) {
    heading(html, "schemas", "Schemas");
    for (name, is) in schemas.as_object().into_iter().flatten() {
        html.with("article", ("id", &format!("schema-{name}")), |html| {
            html.element("h3", |html| {
                html.text(&schema::title(name));
            });
            html.paragraphs(text(is, "description"));
            schema::details(html, is);
        });
    }
}

fn problems(html: &mut Html) {
    heading(html, "problems", "Problems");
    html.raw("<p>Every answer of 400 and above is a ");
    html.link("schema", "Problem", "Problem")
        .raw(" with one of these codes.</p><div class=\"wide\"><table>");
    let mut before = None;
    for kind in PROBLEM_KINDS {
        let status = kind.status.as_u16().to_string();
        html.with("tr", ("id", &format!("problem-{}", kind.code)), |html| {
            html.raw("<th scope=\"row\">");
            if before.as_ref() == Some(&status) {
                html.text(&status);
            } else {
                html.with("span", ("id", &format!("status-{status}")), |html| {
                    html.text(&status);
                });
            }
            html.raw("<td>").code(kind.code).raw("<td>").words(kind.advice);
        });
        before = Some(status);
    }
    html.raw("</table></div>");
}
