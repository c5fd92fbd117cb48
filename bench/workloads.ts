// The work that every proxy is given, and how much of it. Sizes are those of the body.

/** One kind of request, repeated for the length of a round. */
export interface Workload {
  name: string;
  title: string;
  path: string;
  /** Bytes of the response body. */
  downBytes: number;
  /** Bytes of the request body; with any, the request is a POST and goes to the sink. */
  upBytes: number;
  /** Most CPU per request that the project wants to need, as a share of nginx and of the best Node peer. */
  goal: { ofNginx: number; ofNodePeer?: number };
}

export const workloads: readonly Workload[] = [
  {
    name: 'small',
    title: 'small GET (135 bytes)',
    path: '/small',
    downBytes: 135,
    upBytes: 0,
    goal: { ofNginx: 1.25, ofNodePeer: 0.25 },
  },
  {
    name: '64k',
    title: '64 KB down',
    path: '/64k',
    downBytes: 64 * 1024,
    upBytes: 0,
    goal: { ofNginx: 1 },
  },
  {
    name: '1m',
    title: '1 MB down',
    path: '/1m',
    downBytes: 1024 * 1024,
    upBytes: 0,
    goal: { ofNginx: 1 },
  },
  {
    name: '1m-up',
    title: '1 MB up',
    path: '/upload',
    downBytes: 0,
    upBytes: 1024 * 1024,
    goal: { ofNginx: 1 },
  },
];
