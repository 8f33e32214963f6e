/** The least a bundle can hold. */
export async function empty(): Promise<void> {}
