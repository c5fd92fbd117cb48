/*
 * A radix tree: values by prefix, and which prefix of a text is the longest known. It compares characters and
 * knows nothing of paths or names; whole texts alone are a Map's work.
 */

class PrefixNode<T> {
  /** What leads here from the node above; empty at the root alone. */
  edge: string;
  value: T | null;
  /** By the first character of their edges. */
  children: Map<number, PrefixNode<T>> | null;

  constructor(edge: string, value: T | null, children: Map<number, PrefixNode<T>> | null) {
    this.edge = edge;
    this.value = value;
    this.children = children;
  }
}

/** Values other than null, by prefix. A lookup's cost depends on the text's length, not on the tree's size. */
export class PrefixTree<T> {
  private readonly root: PrefixNode<T>;

  constructor() {
    this.root = new PrefixNode<T>('', null, null);
  }

  /** Adds `value`, in place of the one `prefix` had. The empty prefix is one of every text. */
  add(prefix: string, value: T): void {
    let node = this.root;
    let at = 0;
    while (at < prefix.length) {
      node.children ??= new Map();
      const code = prefix.charCodeAt(at);
      const child = node.children.get(code);
      if (child === undefined) {
        node.children.set(code, new PrefixNode(prefix.substring(at), value, null));
        return;
      }
      const shared = sharedLength(child.edge, prefix, at);
      node = shared === child.edge.length ? child : split(node, child, shared);
      at += shared;
    }
    node.value = value;
  }

  /** The value of the longest prefix that `text` begins with; null if there is none. */
  longestPrefix(text: string): T | null {
    let node = this.root;
    let found = node.value;
    let at = 0;
    while (node.children !== null && at < text.length) {
      const child = node.children.get(text.charCodeAt(at));
      if (child === undefined) break;
      const length = child.edge.length;
      if (sharedLength(child.edge, text, at) < length) break;
      at += length;
      node = child;
      if (node.value !== null) found = node.value;
    }
    return found;
  }
}

/** How many characters of `edge` stand in `text` at `at`. */
function sharedLength(edge: string, text: string, at: number): number {
  const most = Math.min(edge.length, text.length - at);
  let length = 0;
  while (length < most && edge.charCodeAt(length) === text.charCodeAt(at + length)) length++;
  return length;
}

/** Puts a node between `parent` and `child`, after `length` characters of the child's edge. */
function split<T>(parent: PrefixNode<T>, child: PrefixNode<T>, length: number): PrefixNode<T> {
  const upper = child.edge.substring(0, length);
  child.edge = child.edge.substring(length);
  const node = new PrefixNode<T>(upper, null, new Map([[child.edge.charCodeAt(0), child]]));
  parent.children!.set(upper.charCodeAt(0), node);
  return node;
}
