export declare const table: string;
