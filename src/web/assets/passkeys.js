/* Adds passkeys, and logs in with them. Without this script, pages offer only the password. */
const base = document.currentScript?.dataset.base ??
  document.querySelector("script[data-base]").dataset.base;
const isSupported = globalThis.isSecureContext && "PublicKeyCredential" in globalThis &&
  "parseRequestOptionsFromJSON" in PublicKeyCredential;

async function call(path, body, csrf) {
  const headers = { "Content-Type": "application/json" };
  if (csrf !== undefined) headers["X-CSRF-Token"] = csrf;
  const response = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (response.ok) return answer.data;
  if (answer.step_up_required) location.assign(`${base}/login/step-up?next=/account/passkeys`);
  throw new Error(Object.values(answer.errors ?? {})[0]?.[0] ?? answer.message);
}

async function logIn({ next }) {
  const options = await call("/api/login/passkey/options", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey });
  await call("/api/login/passkey", { response: credential.toJSON() });
  location.assign(base + next);
}

async function add({ csrf }) {
  const name = document.getElementById("passkey-name").value || "Passkey";
  const options = await call("/api/user/passkeys/options", {}, csrf);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  await call("/api/user/passkeys", { name, response: credential.toJSON() }, csrf);
  location.assign(`${base}/account/passkeys`);
}

for (const area of document.querySelectorAll("[data-passkey]")) {
  const button = area.querySelector("button");
  const message = area.querySelector("[role=alert]");
  if (!isSupported) continue;
  area.hidden = false;
  button.addEventListener("click", async () => {
    message.hidden = true;
    try {
      await (area.dataset.passkey === "login" ? logIn : add)(area.dataset);
    } catch (error) {
      message.textContent = error.name === "NotAllowedError" ? "No passkey was chosen." : error.message;
      message.hidden = false;
    }
  });
}
