/** The owner of a record: the user who made it, and the workspace that it belongs to. */
export interface Owner {
  readonly userId: number;
  readonly workspaceId: number;
}

/** Returns the owner of a stored record. */
export function ownerOf(row: { readonly user_id: number; readonly workspace_id: number }): Owner {
  return { userId: row.user_id, workspaceId: row.workspace_id };
}

/** Returns the columns that store the owner of a new record. */
export function ownerColumns({ userId, workspaceId }: Owner): { user_id: number; workspace_id: number } {
  return { user_id: userId, workspace_id: workspaceId };
}
