import assert from "node:assert/strict";
import { bytesOf } from "../../archive/bytes.ts";
import { DumpRewriter, type RewriteRules } from "./dump_filter.ts";
import { renameCalls, renameDatabase, renameInView } from "./tokens.ts";

const RULES: RewriteRules = { original: "shop", into: "co`py", isDefiner: false, lacksOldModes: false };

async function rewritten(dump: Uint8Array, rules: Partial<RewriteRules> = {}, size = 1 << 16) {
  const rewriter = new DumpRewriter({ ...RULES, ...rules });
  const chunks = (async function* () {
    for (let at = 0; at < dump.length; at += size) yield dump.slice(at, at + size);
  })();
  const pieces: number[] = [];
  for await (const piece of rewriter.rewrite(chunks)) pieces.push(...piece);
  return { text: new TextDecoder("latin1").decode(Uint8Array.from(pieces)), events: rewriter.enabledEvents };
}

const bytes = (text: string) => bytesOf(text);

const DUMP = String.raw`-- Host: localhost    Database: shop
CREATE TABLE ${"`t`"} (
  ${"`id`"} bigint(20) NOT NULL DEFAULT nextval(${"`shop`.`tickets`"}),
  ${"`n`"} int(11) DEFAULT (nextval(${"`shop`.`tickets`"}) + 1) COMMENT 'nextval(${"`shop`.`x`"}) in shop.t',
  ${"`other`"} bigint(20) DEFAULT nextval(${"`shops`.`tickets`"})
) ENGINE=InnoDB;
LOCK TABLES ${"`t`"} WRITE;
INSERT INTO ${"`t`"} VALUES
(1,'nextval(${"`shop`.`tickets`"}) \n LOCK TABLES'),
(2,'DELIMITER ;;\'');
INSERT INTO ${"`shop`"} VALUES ('${"`shop`"}.f(');
UNLOCK TABLES;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=${"`ro``ot`@`%`"}*/ /*!50003 trigger shop . tr before insert on ${"`shop`"}.t
for each row begin insert into shop.log values ('shop.x'); end */;;
DELIMITER ;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=${"`root`@`localhost`"} SQL SECURITY DEFINER */
/*!50001 VIEW ${"`v`"} AS select ${"`shop`.`twice`(`shop`.`a`) AS `x`,nextval(`shop`.`s`),'`shop`.`f`()' from `shop`"} */;
ALTER DATABASE ${"`shop`"} CHARACTER SET latin1 COLLATE latin1_swedish_ci ;
`;

Deno.test("a dump is rewritten for another database, and its rows stay unchanged", async () => {
  const { text } = await rewritten(bytes(DUMP));
  const expected = DUMP
    .replace("NOT NULL DEFAULT nextval(`shop`", "NOT NULL DEFAULT nextval(`co``py`")
    .replace("(nextval(`shop`.`tickets`) + 1)", "(nextval(`co``py`.`tickets`) + 1)")
    .replace("LOCK TABLES `t` WRITE;\n", "").replace("UNLOCK TABLES;\n", "")
    .replace(
      "trigger shop . tr before insert on `shop`.t",
      "trigger `co``py` . tr before insert on `co``py`.t",
    )
    .replace("select `shop`.`twice`", "select `co``py`.`twice`").replace(
      "nextval(`shop`.`s`)",
      "nextval(`co``py`.`s`)",
    )
    .replace("ALTER DATABASE `shop`", "ALTER DATABASE `co``py`");
  assert.equal(text, expected);
});

Deno.test("the result does not depend on the size of chunks, for any bytes", async () => {
  const dump = bytes(
    DUMP +
      "DELIMITER ;;\nCREATE DEFINER=`a`@`b` PROCEDURE `p`()\n(select '\xe9\x00\xff')\n;;\nDELIMITER ;\nno end",
  );
  const { text: whole } = await rewritten(dump);
  assert.ok(whole.endsWith("'\xe9\x00\xff')\n;;\nDELIMITER ;\nno end"));
  for (let size = 1; size < 200; size++) {
    const { text } = await rewritten(dump, {}, size);
    assert.equal(text, whole, `in pieces of ${size} bytes`);
  }
});

const EVENTS = `DELIMITER ;;
/*!50106 CREATE*/ /*!50117 DEFINER=\`r\`@\`%\`*/ /*!50106 EVENT \`of\`\`ten\` ON SCHEDULE EVERY 1 SECOND STARTS '2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'x ENABLE' DO begin
 set @a = ' ON COMPLETION PRESERVE ENABLE'; end */ ;;
/*!50106 CREATE*/ /*!50117 DEFINER="r"@"%"*/ /*!50106 EVENT "ansi" ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ON COMPLETION PRESERVE ENABLE DO select 1 */ ;;
/*!50106 CREATE*/ /*!50117 DEFINER=\`r\`@\`%\`*/ /*!50106 EVENT \`off\` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE DO select 1 */ ;;
DELIMITER ;
`;

Deno.test("events are created disabled, and the names of enabled ones are recorded", async () => {
  const { text, events } = await rewritten(bytes(EVENTS));
  assert.deepEqual(events, ["of`ten", "ansi"]);
  assert.equal(
    text,
    EVENTS.replace("PRESERVE ENABLE COMMENT", "PRESERVE DISABLE COMMENT").replace(
      "ENABLE DO select",
      "DISABLE DO select",
    ),
  );
});

Deno.test("the login becomes the definer of all objects on request", async () => {
  const dump = DUMP + EVENTS + `DELIMITER ;;
CREATE DEFINER=\`root\`@\`localhost\` FUNCTION \`twice\`(n int) RETURNS int(11)
return 'DEFINER=\`root\`@\`localhost\`'
;;
CREATE DEFINER="root"@"localhost" PACKAGE "pk" as end
;;
CREATE DEFINER=\`role\` PROCEDURE \`p\`() select 1
;;
DELIMITER ;
`;
  const { text } = await rewritten(bytes(dump), { isDefiner: true });
  assert.equal(text.match(/DEFINER=CURRENT_USER/g)!.length, 8);
  assert.deepEqual(text.match(/DEFINER=[^C].*/g), ["DEFINER=`root`@`localhost`'"]);
});

Deno.test("the sandbox command of newer dumps is left out for older clients", async () => {
  for (
    const line of ["/*M!999999\\- enable the sandbox mode */ \n", "/*!999999\\- enable the sandbox mode */\n"]
  ) {
    assert.equal((await rewritten(bytes(`${line}select 1;\n`))).text, "select 1;\n");
  }
});

Deno.test("an SQL mode that MySQL 8 rejects is left out", async () => {
  const line =
    "/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;\n";
  assert.equal((await rewritten(bytes(line))).text, line);
  assert.equal(
    (await rewritten(bytes(line), { lacksOldModes: true })).text,
    line.replace("NO_AUTO_CREATE_USER,", ""),
  );
});

Deno.test("a view of several databases is renamed with its tables", () => {
  const to = { from: "shop", to: "copy" };
  const view =
    "VIEW `shop` AS select `shop`.`t`.`a` AS `shop`,`b`.`u`.`c` AS `c` from (`shop`.`t` join `b`.`u`) where 'shop.x'";
  assert.equal(renameInView(view, to), view.replaceAll("`shop`.`t`", "`copy`.`t`"));
  const alias = "VIEW `v` AS select `shop`.`a` AS `a`,`shop`.`f`(1) AS `f` from `t` `shop`";
  assert.equal(renameInView(alias, to), alias.replace("`shop`.`f`", "`copy`.`f`"));
});

Deno.test("a database is renamed where it qualifies a name, unless an alias or table may have its name", () => {
  const to = { from: "shop", to: "copy" };
  assert.equal(
    renameDatabase(
      "insert into shop.t select `shop` . f(a.shop.x) -- shop.t\n from \"shop\".u where 'shop.t' # shop.t\n",
      to,
    ),
    "insert into `copy`.t select `copy` . f(a.shop.x) -- shop.t\n from \"copy\".u where 'shop.t' # shop.t\n",
  );
  for (
    const sql of [
      "select shop.id from orders shop",
      "select shop.id from `shop`",
      "declare shop int; set a = shop.x",
    ]
  ) {
    assert.equal(renameDatabase(sql, to), sql);
  }
  assert.equal(
    renameDatabase("ALTER DATABASE `shop` x; select shop.f()", to),
    "ALTER DATABASE `shop` x; select `copy`.f()",
  );
  assert.equal(
    renameCalls("select `shop`.`id`, `shop`.`f`(1), lastval(`shop`.`s`)", to),
    "select `shop`.`id`, `copy`.`f`(1), lastval(`copy`.`s`)",
  );
});
