/// <reference lib="dom" />
/** Starts the page. */
import { h, render } from 'preact';
import { App } from './app.ts';

const place = document.getElementById('page');
if (place !== null) render(h(App, null), place);
