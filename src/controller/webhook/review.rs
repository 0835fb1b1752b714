//! Takes one AdmissionReview, answers it by metal3's rules and in its words; knows no cluster and no other object.

use serde_json::{Value, json};

use crate::api::metal3::{self, IPAddress, IPClaim, IPPool};
use crate::ipam::FieldError;
use crate::ipam::admission::{
    create_address, create_claim, create_pool, default_pool, update_address, update_claim, update_pool,
};

/// Which kind a webhook is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Pool,
    Claim,
    Address,
}

impl Subject {
    pub(super) const ALL: [Self; 3] = [Self::Pool, Self::Claim, Self::Address];

    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Pool => metal3::POOL_KIND,
            Self::Claim => metal3::CLAIM_KIND,
            Self::Address => metal3::ADDRESS_KIND,
        }
    }
}

/// What a webhook does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Fills in defaults.
    Default,
    /// Refuses what is wrong.
    Validate,
}

/// The path of a webhook, which is metal3's.
pub(super) fn path(duty: Duty, subject: Subject) -> String {
    let duty = match duty {
        Duty::Default => "mutate",
        Duty::Validate => "validate",
    };
    format!("/{duty}-ipam-metal3-io-v1alpha1-{}", subject.kind().to_lowercase())
}

/// The webhook of a path.
pub(super) fn of_path(asked: &str) -> Option<(Duty, Subject)> {
    let all = [Duty::Default, Duty::Validate]
        .into_iter()
        .flat_map(|duty| Subject::ALL.map(|subject| (duty, subject)));
    all.into_iter().find(|(duty, subject)| path(*duty, *subject) == asked)
}

/// The answer to a review. Warnings are shown to whoever made the request.
///
/// # Errors
/// What is wrong with the review itself.
pub(super) fn answer(duty: Duty, subject: Subject, review: &Value, warnings: &[String]) -> Result<Value, String> {
    let request = review.get("request").ok_or("the review has no request")?;
    let uid = request.get("uid").ok_or("the request has no uid")?;
    let none = Value::Null;
    let (new, old) = (
        request.get("object").unwrap_or(&none),
        request.get("oldObject").filter(|old| !old.is_null()),
    );
    let mut response = json!({"uid": uid, "allowed": true});
    match duty {
        Duty::Default => {
            if subject == Subject::Pool
                && let Some(patch) = defaults(new)?
            {
                response["patchType"] = json!("JSONPatch");
                response["patch"] = json!(patch);
            }
        }
        Duty::Validate => {
            let errors = errors(subject, new, old)?;
            if !errors.is_empty() {
                response["allowed"] = json!(false);
                response["status"] = invalid(subject, new, &errors);
            }
            if !warnings.is_empty() {
                response["warnings"] = json!(warnings);
            }
        }
    }
    Ok(json!({
        "apiVersion": review.get("apiVersion").unwrap_or(&json!("admission.k8s.io/v1")),
        "kind": "AdmissionReview",
        "response": response,
    }))
}

fn read<T: serde::de::DeserializeOwned>(object: &Value) -> Result<T, String> {
    serde_json::from_value(object.clone()).map_err(|error| format!("the object cannot be read: {error}"))
}

/// The pool's defaults as a JSON patch in base64.
fn defaults(object: &Value) -> Result<Option<String>, String> {
    use base64::Engine as _;
    let mut pool: IPPool = read(object)?;
    let before = pool.spec.allocation_strategy.clone();
    default_pool(&mut pool.spec);
    if pool.spec.allocation_strategy == before {
        return Ok(None);
    }
    let strategy = json!({"op": "add", "path": "/spec/allocationStrategy", "value": pool.spec.allocation_strategy});
    let patch = if object.get("spec").is_some_and(Value::is_object) {
        json!([strategy])
    } else {
        json!([{"op": "add", "path": "/spec", "value": {}}, strategy])
    };
    Ok(Some(
        base64::engine::general_purpose::STANDARD.encode(patch.to_string()),
    ))
}

fn errors(subject: Subject, new: &Value, old: Option<&Value>) -> Result<Vec<FieldError>, String> {
    Ok(match (subject, old) {
        (Subject::Pool, None) => create_pool(&read::<IPPool>(new)?.spec),
        (Subject::Pool, Some(old)) => {
            let (new, old): (IPPool, IPPool) = (read(new)?, read(old)?);
            // A stored pool that newer rules refuse must still be able to lose its finalizer.
            if new.spec == old.spec {
                return Ok(Vec::new());
            }
            update_pool(&old.spec, &new.spec, &old.status.unwrap_or_default().indexes)
        }
        (Subject::Claim, None) => create_claim(&read::<IPClaim>(new)?),
        (Subject::Claim, Some(old)) => update_claim(&read::<IPClaim>(old)?, &read::<IPClaim>(new)?),
        (Subject::Address, None) => create_address(&read::<IPAddress>(new)?),
        (Subject::Address, Some(old)) => update_address(&read::<IPAddress>(old)?, &read::<IPAddress>(new)?),
    })
}

/// The status of an object that is not valid, as the API server writes it.
fn invalid(subject: Subject, object: &Value, errors: &[FieldError]) -> Value {
    let name = object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let text = match texts.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let causes: Vec<Value> = errors
        .iter()
        .map(|error| {
            let text = error.to_string();
            let message = text
                .strip_prefix(&format!("{}: ", error.path))
                .unwrap_or(&text)
                .to_owned();
            json!({"reason": "FieldValueInvalid", "field": error.path.to_string(), "message": message})
        })
        .collect();
    json!({
        "status": "Failure",
        "code": 422,
        "reason": "Invalid",
        "message": format!("{}.{} \"{name}\" is invalid: {text}", subject.kind(), metal3::GROUP),
        "details": {"name": name, "group": metal3::GROUP, "kind": subject.kind(), "causes": causes},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(spec: Value) -> Value {
        json!({"apiVersion": metal3::API_VERSION, "kind": "IPPool", "metadata": {"name": "p"}, "spec": spec})
    }

    fn review(object: Value, old: Value) -> Value {
        json!({"apiVersion": "admission.k8s.io/v1", "request": {"uid": "u", "object": object, "oldObject": old}})
    }

    #[test]
    fn a_wrong_pool_is_refused_with_the_place_and_metal3s_words() {
        let wrong =
            pool(json!({"namePrefix": "p", "pools": [{"start": "10.0.0.9", "end": "10.0.0.1"}], "gateway": "x"}));
        let answer = answer(Duty::Validate, Subject::Pool, &review(wrong, Value::Null), &[]).unwrap();
        let response = &answer["response"];
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 422);
        assert_eq!(
            response["status"]["message"],
            "IPPool.ipam.metal3.io \"p\" is invalid: [spec.gateway: Invalid value: \"x\": is not a valid IP address, \
             spec.pools[0]: Invalid value: \"\": end IP 10.0.0.1 is before start IP 10.0.0.9]"
        );
        assert_eq!(response["status"]["details"]["causes"][0]["field"], "spec.gateway");
    }

    #[test]
    fn a_stored_pool_that_newer_rules_refuse_can_still_change_its_metadata() {
        let wrong = pool(json!({"namePrefix": "p", "gateway": "x"}));
        let answer = answer(Duty::Validate, Subject::Pool, &review(wrong.clone(), wrong), &[]).unwrap();
        assert_eq!(answer["response"]["allowed"], true);
    }

    #[test]
    fn a_stored_claim_with_a_wrong_request_can_still_lose_its_finalizer() {
        let claim = |finalizers: Value, asks: &str| {
            json!({"apiVersion": metal3::API_VERSION, "kind": "IPClaim", "spec": {"pool": {"name": "p"}},
                "metadata": {"name": "c", "finalizers": finalizers, "annotations": {"ipAddress": asks}}})
        };
        let allowed = |new: Value, old: Value| {
            let answer = answer(Duty::Validate, Subject::Claim, &review(new, old), &[]).unwrap();
            answer["response"]["allowed"].clone()
        };
        let stored = claim(json!(["ipclaim.ipam.metal3.io"]), " 10.0.0.1 ");
        assert_eq!(allowed(claim(json!([]), " 10.0.0.1 "), stored.clone()), true);
        assert_eq!(allowed(claim(json!([]), "nonsense"), stored.clone()), false);
        assert_eq!(allowed(stored, Value::Null), false);
    }

    #[test]
    fn the_strategy_is_filled_in() {
        let plain = pool(json!({"namePrefix": "p"}));
        let answer = answer(Duty::Default, Subject::Pool, &review(plain, Value::Null), &[]).unwrap();
        use base64::Engine as _;
        let patch = base64::engine::general_purpose::STANDARD.decode(answer["response"]["patch"].as_str().unwrap());
        let patch: Value = serde_json::from_slice(&patch.unwrap()).unwrap();
        assert_eq!(
            patch,
            json!([{"op": "add", "path": "/spec/allocationStrategy", "value": "sequential"}])
        );
    }

    #[test]
    fn every_path_leads_to_one_webhook() {
        assert_eq!(
            of_path("/validate-ipam-metal3-io-v1alpha1-ippool"),
            Some((Duty::Validate, Subject::Pool))
        );
        assert_eq!(
            of_path("/mutate-ipam-metal3-io-v1alpha1-ipaddress"),
            Some((Duty::Default, Subject::Address))
        );
        assert_eq!(of_path("/other"), None);
    }
}
