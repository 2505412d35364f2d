//! What a caller of the partner API may do, and to which rows: objects, actions, permissions. Pure, so that a test can walk
//! all of it.
//!
//! Whatever a role does not list is not allowed. "Own" is what the user created; a row that nobody created, such as a link
//! that grew out of an intent, belongs to whoever created that intent.

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
    /// Whether this may be done. Deny unless listed.
    pub fn permission(&self, object: Object, action: Action) -> Permission {
        let actions = self.0.get(&object);
        actions
            .and_then(|actions| actions.get(&action))
            .copied()
            .unwrap_or_default()
    }

    /// Whether `other` allows nothing beyond this: nobody may hand out more than they have.
    pub fn covers(&self, other: &Self) -> bool {
        Object::ALL.into_iter().all(|object| {
            Action::ALL
                .into_iter()
                .all(|action| other.permission(object, action) <= self.permission(object, action))
        })
    }
}

/// Which rows a caller may touch. Everything that reads or writes a partner's rows takes one, so that no statement can be
/// written that forgets the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantScope {
    /// Only this partner's.
    pub partner: PartnerId,
    /// Only this entity's, if one was chosen. Without one, all of the partner's.
    pub entity: Option<EntityId>,
    /// Only what this user created, where that is all that the role allows.
    pub own: Option<UserId>,
}

/// Who calls, once their token was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The partner itself, server to server: whatever the partner may do.
    Partner(PartnerId),
    /// One of its users, within their role.
    User {
        /// For whom they work.
        partner: PartnerId,
        /// In which entity.
        entity: EntityId,
        /// Who they are.
        user: UserId,
        /// What their role, or their entity's default role, allows.
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
    /// Whose token it is.
    pub const fn partner(&self) -> PartnerId {
        match self {
            Self::Partner(partner) | Self::User { partner, .. } => *partner,
        }
    }

    /// The user, if it is one: whoever creates something is written down as its maker.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Partner(_) => None,
            Self::User { user, .. } => Some(*user),
        }
    }

    /// Whether the caller may hand these permissions to somebody: a partner any, a user no more than their own.
    pub fn may_grant(&self, permissions: &Permissions) -> bool {
        match self {
            Self::Partner(_) => true,
            Self::User { permissions: own, .. } => own.covers(permissions),
        }
    }

    /// To which rows the caller may do this, having chosen `entity` (none: the whole partner, or the user's own entity).
    /// Whether a partner's entity exists is for the records to say.
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

    /// Nobody may do what is not listed: every object and action but the one listed is refused, for every choice of it.
    #[test]
    fn what_is_not_listed_is_refused() {
        for listed in Object::ALL {
            for may in Action::ALL {
                let caller = user(only(listed, may, Permission::Allowed));
                for object in Object::ALL {
                    for action in Action::ALL {
                        let reach = caller.tenant_scope(object, action, None);
                        assert_eq!(
                            reach.is_ok(),
                            (object, action) == (listed, may),
                            "{object:?} {action:?}"
                        );
                    }
                }
            }
        }
    }

    /// A user never leaves their entity, and "own" narrows to what they created.
    #[test]
    fn a_user_stays_in_their_entity() {
        let (mine, other) = (EntityId::from_bytes([2; 16]), EntityId::from_bytes([9; 16]));
        let caller = user(only(Object::Link, Action::Read, Permission::AllowedForOwn));
        assert_eq!(
            caller.tenant_scope(Object::Link, Action::Read, Some(other)),
            Err(AccessDenied::Entity)
        );
        for chosen in [None, Some(mine)] {
            let reach = caller.tenant_scope(Object::Link, Action::Read, chosen).unwrap();
            assert_eq!((reach.entity, reach.own), (Some(mine), caller.user()));
        }
    }

    /// A user hands on what they have, or less, for every object, action and pair of permissions; a partner hands on
    /// anything.
    #[test]
    fn nobody_hands_on_more_than_they_have() {
        let all = [Permission::NotAllowed, Permission::AllowedForOwn, Permission::Allowed];
        for object in Object::ALL {
            for action in Action::ALL {
                for (has, have) in all.into_iter().enumerate() {
                    for (gives, give) in all.into_iter().enumerate() {
                        let given = only(object, action, give);
                        assert_eq!(user(only(object, action, have)).may_grant(&given), gives <= has);
                        assert!(Caller::Partner(PartnerId::from_bytes([1; 16])).may_grant(&given));
                    }
                }
            }
        }
    }

    /// A partner's own token reaches all of the partner, or the one entity it chose.
    #[test]
    fn a_partner_reaches_itself() {
        let partner = PartnerId::from_bytes([1; 16]);
        let entity = EntityId::from_bytes([2; 16]);
        for chosen in [None, Some(entity)] {
            let reach = Caller::Partner(partner)
                .tenant_scope(Object::Role, Action::Delete, chosen)
                .unwrap();
            let want = TenantScope {
                partner,
                entity: chosen,
                own: None,
            };
            assert_eq!(reach, want);
        }
    }
}
