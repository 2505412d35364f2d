//! Where a person approves, over HTTP: the bank's page, and its app as a list.
//!
//! | call | what it does |
//! |---|---|
//! | `GET /__stand-in/approvals` | the approvals and their states |
//! | `POST /__stand-in/approvals` | decides one as its person: `{"id", "approve"}` |
//! | `GET /approvals/{id}` | the bank's page |
//! | `POST /approvals/{id}` | a click on it; goes back to anyone who sent the person, if that is known |
//!
//! An id is a secret that only its person has, so the page needs no other proof.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Bank;
use super::approvals::{Approval, ApprovalState};
use super::dialect::Dialect;
use crate::sandbox::control::{bad_request, json_object};

pub(super) fn configure<D: Dialect>(config: &mut web::ServiceConfig) {
    config
        .route("/__stand-in/approvals", web::get().to(list::<D>))
        .route("/__stand-in/approvals", web::post().to(decide::<D>))
        .route("/approvals/{id}", web::get().to(page::<D>))
        .route("/approvals/{id}", web::post().to(click::<D>));
}

async fn list<D: Dialect>(bank: web::Data<Bank<D>>) -> HttpResponse {
    let (memory, now) = (bank.lock(), bank.now());
    let rows: Vec<Value> = memory
        .approvals
        .values()
        .map(|approval| json!({ "approval": approval, "state": approval.state(now) }))
        .collect();
    HttpResponse::Ok().json(rows)
}

async fn decide<D: Dialect>(bank: web::Data<Bank<D>>, req: HttpRequest, payload: web::Payload) -> HttpResponse {
    let fields = json_object(&req, payload).await.unwrap_or_default();
    let id = fields.get("id").and_then(Value::as_str);
    let (Some(id), Some(approve)) = (id, fields.get("approve").and_then(Value::as_bool)) else {
        return bad_request("id and approve are wanted");
    };
    match bank.decide_approval(&mut bank.lock(), id, approve) {
        Some(state) => HttpResponse::Ok().json(json!({ "state": state })),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn page<D: Dialect>(bank: web::Data<Bank<D>>, id: web::Path<String>) -> HttpResponse {
    match bank.lock().approvals.get(id.as_str()) {
        Some(approval) => html(&draw(approval, approval.state(bank.now()))),
        None => HttpResponse::NotFound().finish(),
    }
}

#[derive(Deserialize)]
struct Click {
    approve: bool,
}

async fn click<D: Dialect>(bank: web::Data<Bank<D>>, id: web::Path<String>, click: web::Form<Click>) -> HttpResponse {
    let mut memory = bank.lock();
    let state = bank.decide_approval(&mut memory, &id, click.approve);
    match (memory.approvals.get(id.as_str()), state) {
        (Some(Approval { back: Some(back), .. }), _) => HttpResponse::SeeOther()
            .insert_header((header::LOCATION, back.as_str()))
            .finish(),
        (Some(approval), Some(state)) => html(&draw(approval, state)),
        _ => HttpResponse::NotFound().finish(),
    }
}

fn html(body: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(format!(
            "<!DOCTYPE html><html lang=en><meta name=viewport content=width=device-width><title>Bank</title>{body}</html>"
        ))
}

fn draw(approval: &Approval, state: ApprovalState) -> String {
    let about = approval.about.replace('&', "&amp;").replace('<', "&lt;");
    let below = match state {
        ApprovalState::Pending => {
            "<form method=post><button name=approve value=true>Approve</button> \
             <button name=approve value=false>Deny</button></form>"
        }
        ApprovalState::Approved => "<p>Approved.</p>",
        ApprovalState::Denied => "<p>Denied.</p>",
        ApprovalState::Expired => "<p>Too late: this has expired.</p>",
    };
    format!("<h1>{about}</h1>{below}")
}
