//! What a caller of the partner API may do, and to which rows: objects, actions, permissions. It is pure, so tests can try
//! every combination.
//!
//! What a role does not list is not allowed. "Own" means created by the user; a row that nobody created, such as the link
//! of an intent, belongs to the user who created the intent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{EntityId, PartnerId, UserId};

/// What things there are to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A request that somebody links.
    LinkIntent,
    /// What was linked.
    Link,
    /// A try at linking.
    ConnectSession,
    /// Somebody who works for the partner.
    User,
    /// What users may do.
    Role,
    /// Where webhooks go.
    WebhookEndpoint,
    /// What webhooks tell.
    Event,
    /// What happened that an auditor may ask for.
    Audit,
}

/// What can be done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make a new one.
    Create,
    /// Look at one, or at a list.
    Read,
    /// Change it; for an intent, cancel it; for a link, ask for it to be renewed; for an event, send it again.
    Update,
    /// End it; for a link, unlink it.
    Delete,
}

impl Object {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::LinkIntent,
        Self::Link,
        Self::ConnectSession,
        Self::User,
        Self::Role,
        Self::WebhookEndpoint,
        Self::Event,
        Self::Audit,
    ];
}

impl Object {
    /// What can be done to it: each of these does something, and nothing else can be granted.
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::LinkIntent => &[Action::Create, Action::Read, Action::Update],
            Self::Link => &[Action::Read, Action::Update, Action::Delete],
            Self::ConnectSession | Self::Audit => &[Action::Read],
            Self::User | Self::Role | Self::WebhookEndpoint => &Action::ALL,
            Self::Event => &[Action::Read, Action::Update],
        }
    }
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];
}

/// Whether something may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// No. What is not listed is this.
    #[default]
    NotAllowed,
    /// Only to what the user created.
    AllowedForOwn,
    /// Yes.
    Allowed,
}

/// What a role allows: object to action to permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(pub BTreeMap<Object, BTreeMap<Action, Permission>>);

impl Permissions {
    /// What is not listed is not allowed.
    pub fn permission(&self, object: Object, action: Action) -> Permission {
        let actions = self.0.get(&object);
        actions
            .and_then(|actions| actions.get(&action))
            .copied()
            .unwrap_or_default()
    }

    /// Whether who has these can put right what others may do.
    pub fn is_administrator(&self) -> bool {
        [Object::User, Object::Role]
            .into_iter()
            .all(|object| self.permission(object, Action::Update) == Permission::Allowed)
    }

    /// What it allows and nobody can do.
    pub fn meaningless(&self) -> Vec<(Object, Action)> {
        let all = Object::ALL
            .into_iter()
            .flat_map(|object| Action::ALL.map(|action| (object, action)));
        all.filter(|(object, action)| {
            !object.actions().contains(action) && self.permission(*object, *action) != Permission::NotAllowed
        })
        .collect()
    }

    /// Whether `other` allows nothing beyond this: nobody may grant more than they have.
    pub fn covers(&self, other: &Self) -> bool {
        Object::ALL.into_iter().all(|object| {
            Action::ALL
                .into_iter()
                .all(|action| other.permission(object, action) <= self.permission(object, action))
        })
    }
}

/// The rows that a caller may access. All code that reads or writes a partner's rows takes one, so that no statement can
/// forget the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantScope {
    pub partner: PartnerId,
    /// Only this entity's rows; `None` for all of the partner's.
    pub entity: Option<EntityId>,
    /// Only rows that this user created, if the role allows no more.
    pub own: Option<UserId>,
}

/// The caller, after authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The partner itself, server to server, which may do everything.
    Partner(PartnerId),
    /// One of its users, limited by their role.
    User {
        partner: PartnerId,
        entity: EntityId,
        user: UserId,
        /// Those of their role, or of their entity's default role.
        permissions: Permissions,
    },
}

/// Why a caller may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessDenied {
    /// Their role does not allow it.
    Role,
    /// The entity they chose is not theirs.
    Entity,
}

impl Caller {
    pub const fn partner(&self) -> PartnerId {
        match self {
            Self::Partner(partner) | Self::User { partner, .. } => *partner,
        }
    }

    /// The user, if it is one; stored with what they create.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Partner(_) => None,
            Self::User { user, .. } => Some(*user),
        }
    }

    /// Which events the caller may read, and so may have sent to an address of theirs.
    pub fn reads_events(&self) -> Permission {
        match self {
            Self::Partner(_) => Permission::Allowed,
            Self::User { permissions, .. } => permissions.permission(Object::Event, Action::Read),
        }
    }

    /// Whether the caller may change the webhook endpoint that this user made, or the partner itself: then what that hears
    /// goes where the caller says, so it must be nothing that the caller may not read, now or ever.
    pub fn may_direct_endpoint_of(&self, maker: Option<UserId>) -> bool {
        self.reads_events() == Permission::Allowed || (self.user().is_some() && self.user() == maker)
    }

    /// The rows to which the caller may do this, with the chosen `entity` (`None`: the whole partner, or the user's own
    /// entity). Whether a partner's entity exists is for the records to say.
    ///
    /// # Errors
    /// When the role does not allow it, or the entity is another than the user's.
    pub fn tenant_scope(
        &self,
        object: Object,
        action: Action,
        entity: Option<EntityId>,
    ) -> Result<TenantScope, AccessDenied> {
        match self {
            Self::Partner(partner) => Ok(TenantScope {
                partner: *partner,
                entity,
                own: None,
            }),
            Self::User {
                partner,
                entity: theirs,
                user,
                permissions,
            } => {
                if entity.is_some_and(|chosen| chosen != *theirs) {
                    return Err(AccessDenied::Entity);
                }
                let own = match permissions.permission(object, action) {
                    Permission::NotAllowed => return Err(AccessDenied::Role),
                    Permission::AllowedForOwn => Some(*user),
                    Permission::Allowed => None,
                };
                Ok(TenantScope {
                    partner: *partner,
                    entity: Some(*theirs),
                    own,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(permissions: Permissions) -> Caller {
        Caller::User {
            partner: PartnerId::from_bytes([1; 16]),
            entity: EntityId::from_bytes([2; 16]),
            user: UserId::from_bytes([3; 16]),
            permissions,
        }
    }

    fn only(object: Object, action: Action, permission: Permission) -> Permissions {
        Permissions(BTreeMap::from([(object, BTreeMap::from([(action, permission)]))]))
    }

    /// For each object and action that is the only one listed, all others are refused.
    #[test]
    fn what_is_not_listed_is_refused() {
        for listed in Object::ALL {
            for may in Action::ALL {
                let caller = user(only(listed, may, Permission::Allowed));
                for object in Object::ALL {
                    for action in Action::ALL {
                        let scope = caller.tenant_scope(object, action, None);
                        assert_eq!(
                            scope.is_ok(),
                            (object, action) == (listed, may),
                            "{object:?} {action:?}"
                        );
                    }
                }
            }
        }
    }

    /// A user never leaves their entity, and "own" means what they created.
    #[test]
    fn a_user_stays_in_their_entity() {
        let (mine, other) = (EntityId::from_bytes([2; 16]), EntityId::from_bytes([9; 16]));
        let caller = user(only(Object::Link, Action::Read, Permission::AllowedForOwn));
        assert_eq!(
            caller.tenant_scope(Object::Link, Action::Read, Some(other)),
            Err(AccessDenied::Entity)
        );
        for chosen in [None, Some(mine)] {
            let scope = caller.tenant_scope(Object::Link, Action::Read, chosen).unwrap();
            assert_eq!((scope.entity, scope.own), (Some(mine), caller.user()));
        }
    }

    /// What somebody can covers the same and less, for every object, action and pair of permissions, and no more.
    #[test]
    fn permissions_cover_no_more_than_themselves() {
        let all = [Permission::NotAllowed, Permission::AllowedForOwn, Permission::Allowed];
        for object in Object::ALL {
            for action in Action::ALL {
                for (has, have) in all.into_iter().enumerate() {
                    for (gives, give) in all.into_iter().enumerate() {
                        let given = only(object, action, give);
                        assert_eq!(only(object, action, have).covers(&given), gives <= has);
                    }
                }
            }
        }
    }

    /// A partner's own token gives access to all of the partner, or to the one entity it chose.
    #[test]
    fn a_partner_has_access_to_itself() {
        let partner = PartnerId::from_bytes([1; 16]);
        let entity = EntityId::from_bytes([2; 16]);
        for chosen in [None, Some(entity)] {
            let scope = Caller::Partner(partner)
                .tenant_scope(Object::Role, Action::Delete, chosen)
                .unwrap();
            let want = TenantScope {
                partner,
                entity: chosen,
                own: None,
            };
            assert_eq!(scope, want);
        }
    }
}
