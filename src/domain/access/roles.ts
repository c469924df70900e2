/** The role of a workspace's member. */
export type Role = "viewer" | "operator" | "restorer" | "manager";
