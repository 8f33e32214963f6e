/** What a deployment says of its tenants; `tenants` of `tribunal.yaml`. Types only. */
export interface Tenant {
  /** Share of a full lane, beside the weights of the other tenants that wait there. */
  readonly weight: number;
}
export type Tenants = Readonly<Record<string, Tenant>>;
