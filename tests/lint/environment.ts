/**
 * A rule of `deno lint` for tests: they must not change state that test files share. Several files run in one
 * process. So a test that changes an environment variable, the working directory or the file mode mask
 * changes it for other files too.
 */
const SHARED = { env: ["set", "delete"], itself: ["chdir", "umask"] };

const plugin: Deno.lint.Plugin = {
  name: "rearguard-tests",
  rules: {
    "shared-environment": {
      create: (context) => ({
        CallExpression(node) {
          if (!isTest(context.filename)) return;
          const called = context.sourceCode.getText(node.callee);
          const isShared = SHARED.env.some((name) => called === `Deno.env.${name}`) ||
            SHARED.itself.some((name) => called === `Deno.${name}` && node.arguments.length > 0);
          if (!isShared) return;
          context.report({
            node,
            message: `${called} changes what every test file of the process sees`,
            hint: "Give the environment to a program that the test starts",
          });
        },
      }),
    },
  },
};

export default plugin;

function isTest(path: string): boolean {
  return path.endsWith("_test.ts") || path.includes("/tests/");
}
