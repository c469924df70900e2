/** Adds the pages for browsers to the HTTP application. */
import { type Clock, systemClock } from "../domain/clock.ts";
import type { MissingPage } from "../http/app.ts";
import type { App } from "../http/observe.ts";
import { showMissing } from "./page.tsx";
import { addAccountPage } from "./pages/account.tsx";
import { addBackupPages } from "./pages/backups/backup_pages.tsx";
import { addCodePage, addLoginPage, addSetupPage, addStepUpPage } from "./pages/login.tsx";
import { addOpenidPages } from "./pages/openid.tsx";
import { addOverviewPage } from "./pages/overview/overview.tsx";
import { addPasskeysPage } from "./pages/passkeys.tsx";
import { addRunPage } from "./pages/runs/run.tsx";
import { addRunsPage } from "./pages/runs/runs.tsx";
import { addRestorePages } from "./pages/restore/restore_pages.tsx";
import { addSchedulePage } from "./pages/schedule/schedule.tsx";
import { addSearchPage } from "./pages/search.tsx";
import { addSecondFactorPage } from "./pages/second_factor.tsx";
import { addLiveStream } from "./live.ts";
import { addScriptPages } from "./pages/scripts/scripts.tsx";
import { addTagPages } from "./pages/tags/tags.tsx";
import { addTaskEditPage } from "./pages/task_form/edit.tsx";
import { addTaskWizard } from "./pages/task_form/wizard.tsx";
import { addTrashPages } from "./pages/trash/trash.tsx";
import { addTaskPages } from "./pages/tasks/tasks_pages.ts";
import { addAlertsPage } from "./pages/alerts/alerts.tsx";
import { addStreamPages } from "./pages/alerts/stream.tsx";
import { addDestinationPages } from "./pages/destinations/destination.tsx";
import { addDestinationsPage } from "./pages/destinations/destinations.tsx";
import { addHelpPages } from "./pages/help/help.tsx";
import { addAuditPage } from "./pages/security/audit.tsx";
import { addMembersPage } from "./pages/security/members.tsx";
import { addTokensPage } from "./pages/security/tokens.tsx";
import { addUsersPage } from "./pages/security/users.tsx";
import { addNewServerPages } from "./pages/servers/new_server.tsx";
import { addServerPages } from "./pages/servers/server.tsx";
import { addServersPage } from "./pages/servers/servers.tsx";
import { addInstallationPage } from "./pages/installation/installation.tsx";
import { addVerificationPages } from "./pages/verification/verification_pages.ts";
import { addRecoveryKitPage } from "./pages/welcome/recovery_kit.tsx";
import { addWelcomePage } from "./pages/welcome/welcome.tsx";
import { Site } from "./site.ts";

const PAGES: readonly ((site: Site) => void)[] = [
  addLoginPage,
  addCodePage,
  addSetupPage,
  addStepUpPage,
  addOpenidPages,
  addAccountPage,
  addSecondFactorPage,
  addPasskeysPage,
  addBackupPages,
  addOverviewPage,
  addRunPage,
  addRunsPage,
  addRestorePages,
  addSchedulePage,
  addSearchPage,
  addAlertsPage,
  addStreamPages,
  addDestinationsPage,
  addDestinationPages,
  addHelpPages,
  addMembersPage,
  addUsersPage,
  addTokensPage,
  addAuditPage,
  addServersPage,
  addNewServerPages,
  addServerPages,
  addInstallationPage,
  addVerificationPages,
  addWelcomePage,
  addRecoveryKitPage,
  addLiveStream,
  addScriptPages,
  addTagPages,
  addTaskWizard,
  addTaskEditPage,
  addTrashPages,
  addTaskPages,
];

/**
 * @param publicUrl The URL at which browsers reach this control plane; if null, the request's URL is used.
 */
export function addWebPages(
  { publicUrl, clock = systemClock }: { publicUrl: string | null; clock?: Clock },
): (app: App) => MissingPage {
  return (app) => {
    const site = new Site(app, publicUrl, clock);
    for (const add of PAGES) add(site);
    return (c) => showMissing(site, c);
  };
}
