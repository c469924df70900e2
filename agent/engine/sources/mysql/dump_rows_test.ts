import assert from "node:assert/strict";
import { DumpRows } from "./dump_rows.ts";

const DUMP = `-- MariaDB dump
CREATE TABLE \`plain\` (
  \`a\` int DEFAULT NULL COMMENT 'INSERT INTO \`plain\` VALUES (9)'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO \`plain\` VALUES (1),(2),(NULL);
INSERT INTO \`plain\` VALUES
(4,'),(5);'),
(6,'it\\'s \\\\'),
(7,'doubled '' quote, \\"(x)\\"; \\n'),
(8,0x2829);
CREATE TABLE \`odd \`\`V (name\` (
  \`V) VALUES (\` int
) ENGINE=MyISAM;
INSERT  IGNORE INTO \`odd \`\`V (name\` (\`V) VALUES (\`, \`b\`) VALUES (1,2),(3,_binary 'x\\'');
CREATE TABLE \`empty\` (
) ENGINE=InnoDB;
CREATE TABLE \`all_of_them\` (
) ENGINE=MRG_MyISAM UNION=(\`plain\`);
CREATE SEQUENCE \`tickets\` start with 1;
INSERT INTO \`tickets\` VALUES (1,2,3);
DELIMITER ;;
CREATE PROCEDURE pay() begin
INSERT INTO \`plain\` VALUES (1);
CREATE TABLE \`made\` (a int);
end ;;
DELIMITER ;
INSERT INTO \`empty\` VALUES (${"x".repeat(3000)},'${"é(".repeat(3000)}');
-- Dump completed
`;

Deno.test("rows of a dump's tables are counted, in chunks of any size", () => {
  const bytes = new TextEncoder().encode(DUMP);
  for (const size of [1, 7, 1023, 4096, bytes.length]) {
    const rows = new DumpRows();
    for (let at = 0; at < bytes.length; at += size) rows.push(bytes.subarray(at, at + size));
    assert.deepEqual(rows.tables(), [
      { name: "plain", rows: 7 },
      { name: "odd `V (name", rows: 2 },
      { name: "empty", rows: 1 },
      { name: "all_of_them", rows: null },
    ]);
  }
});
