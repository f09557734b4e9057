// The library injects its parts through decorators' metadata, so the polyfill comes before it.
import 'reflect-metadata';

export * from '@peculiar/x509';
