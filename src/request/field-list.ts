/*
 * Header fields of a response on its way to the client: an ordered list that filters read and change. Heads as they
 * came in are http/h1's FieldLines; this is for those that are made or changed here.
 */
import { asFieldValue } from '../http/message/one-line.js';

/** Fields in order. Names keep their case and are compared without it; several may share a name. */
export class FieldList {
  private readonly names: string[] = [];
  private readonly lowerNames: string[] = [];
  private readonly values: string[] = [];

  get count(): number {
    return this.names.length;
  }

  name(index: number): string {
    return this.names[index]!;
  }

  value(index: number): string {
    return this.values[index]!;
  }

  /** The first value; null without one. `lowerName` is in lower case, as in all methods that take one. */
  get(lowerName: string): string | null {
    const index = this.lowerNames.indexOf(lowerName);
    return index < 0 ? null : this.values[index]!;
  }

  /** Every value of that name, in order. */
  all(lowerName: string): string[] {
    return this.values.filter((_, i) => this.lowerNames[i] === lowerName);
  }

  add(name: string, value: string): void {
    this.names.push(name);
    this.lowerNames.push(name.toLowerCase());
    this.values.push(value);
  }

  /** Replaces all fields of that name by one. */
  set(name: string, value: string): void {
    this.remove(name.toLowerCase());
    this.add(name, value);
  }

  /** Gives the field of that name that has a value another one; adds it if there is none. */
  replace(name: string, value: string | null, newValue: string): void {
    const lowerName = name.toLowerCase();
    const index = this.values.findIndex((each, i) => each === value && this.lowerNames[i] === lowerName);
    if (index < 0) this.add(name, newValue);
    else this.values[index] = newValue;
  }

  remove(lowerName: string): void {
    for (let i = this.names.length - 1; i >= 0; i--) {
      if (this.lowerNames[i] !== lowerName) continue;
      this.names.splice(i, 1);
      this.lowerNames.splice(i, 1);
      this.values.splice(i, 1);
    }
  }

  clear(): void {
    if (this.names.length === 0) return;
    this.names.length = 0;
    this.lowerNames.length = 0;
    this.values.length = 0;
  }

  /** As lines with their CRLF. */
  toLines(): string {
    let text = '';
    for (let i = 0; i < this.names.length; i++)
      text += `${this.names[i]}: ${asFieldValue(this.values[i]!)}\r\n`;
    return text;
  }
}
