const { chromium } = require('playwright-core');
(async () => {
  const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu'] });
  const p = await b.newPage({ viewport: { width: 1920, height: 1080 } });
  for (const q of ['', '?diagonal=55&distance=5','?diagonal=75&distance=5','?diagonal=55&distance=4','?diagonal=65&distance=6','?diagonal=43&distance=3','?diagonal=75&distance=8','?rows=8','?rows=12']) {
    await p.goto('http://127.0.0.1:18850/wall'+q); await p.waitForTimeout(1500);
    const r = await p.evaluate(() => { const cs=getComputedStyle(document.querySelector('.wall-table'));
      const rows=[...document.querySelectorAll('.wall-table tbody tr')].filter(r=>r.offsetHeight>0);
      const foot=document.querySelector('footer')||document.querySelector('.wall-foot');
      return { row: cs.getPropertyValue('--row-n'), pitch: cs.getPropertyValue('--pitch-n'), cls: document.body.className||document.documentElement.className, h: rows.map(r=>r.getBoundingClientRect().height.toFixed(1)+(r.querySelector('.row-remark')?'*':'')).join(' '), last: rows.length?rows[rows.length-1].getBoundingClientRect().bottom:0, foot: foot?foot.getBoundingClientRect().top:null, name: [...rows[0].children].map(c=>c.className+':'+c.getBoundingClientRect().height.toFixed(0)+'/'+getComputedStyle(c).fontSize+'/'+getComputedStyle(c).lineHeight).join(' ') } });
    console.log(q, JSON.stringify(r));
  }
  await b.close();
})();
