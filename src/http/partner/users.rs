//! Users: `/v1/users`.

use actix_web::web;

use super::PartnerApi;
use super::ask::{By, Json, Paging, id};
use super::reply::{Answer, created, gone, ok};
use super::table::{Entry, Route};
use crate::core::access::{Action, Object};
use crate::core::ids::UserId;
use crate::service::partners::{Need, NewUser, UserEdit};

const ALL: &str = "/v1/users";
const ONE: &str = "/v1/users/{id}";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", ALL, Entry::Token(Need::May(Object::User, Action::Read))),
    Route::new("POST", ALL, Entry::Token(Need::May(Object::User, Action::Create))),
    Route::new("GET", "/v1/users/me", Entry::Token(Need::User)),
    Route::new("GET", ONE, Entry::Token(Need::May(Object::User, Action::Read))),
    Route::new("PATCH", ONE, Entry::Token(Need::May(Object::User, Action::Update))),
    Route::new("DELETE", ONE, Entry::Token(Need::May(Object::User, Action::Delete))),
];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/users", web::get().to(list))
        .route("/users", web::post().to(create))
        .route("/users/me", web::get().to(me))
        .route("/users/{id}", web::get().to(read))
        .route("/users/{id}", web::patch().to(change))
        .route("/users/{id}", web::delete().to(end));
}

async fn list(api: web::Data<PartnerApi>, By(asked): By, Paging(page): Paging) -> Answer {
    Ok(ok(&api.users.users(&asked, page).await?))
}

async fn create(api: web::Data<PartnerApi>, By(asked): By, Json(new): Json<NewUser>) -> Answer {
    Ok(created(&api.users.add_user(&asked, new).await?))
}

async fn me(api: web::Data<PartnerApi>, By(asked): By) -> Answer {
    Ok(ok(&api.users.me(&asked).await?))
}

async fn read(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let user = id(&path, UserId::parse)?;
    Ok(ok(&api.users.user(&asked, user).await?))
}

async fn change(
    api: web::Data<PartnerApi>,
    By(asked): By,
    path: web::Path<String>,
    Json(edit): Json<UserEdit>,
) -> Answer {
    let user = id(&path, UserId::parse)?;
    Ok(ok(&api.users.change_user(&asked, user, edit).await?))
}

async fn end(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let user = id(&path, UserId::parse)?;
    api.users.end_user(&asked, user).await?;
    Ok(gone())
}
