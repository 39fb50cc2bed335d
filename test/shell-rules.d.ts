export const shellRules: { selector: string; message: string }[];
