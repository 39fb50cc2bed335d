import { describe, expect, it } from 'vitest';
import { html } from './html.ts';

describe('html', () => {
  it('P71: encodes what is put in, in text and in attributes', () => {
    const name = `<script>alert("x")</script>'&`;
    expect(html`<p title="${name}">${name}</p>`.text).toBe(
      '<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;">&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;</p>',
    );
  });

  it('puts HTML into HTML as it is, lists joined, nothing for null and false', () => {
    const items = ['a', '<b>'].map((item) => html`<b>${item}</b>`);
    expect(html`<i>${items}</i>${null}${false}${0}`.text).toBe('<i><b>a</b><b>&lt;b&gt;</b></i>0');
  });
});
